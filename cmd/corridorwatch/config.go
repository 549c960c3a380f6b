package main

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// config is everything that can be set, by environment alone. Nothing else in the program reads the environment.
type config struct {
	Prefix     string   `env:"PREFIX" envDefault:"corridorwatch" desc:"names topics, groups and database of one installation"`
	Partitions int      `env:"PARTITIONS" envDefault:"4" desc:"partitions of every topic; fixed when the installation is created"`
	CatalogDir string   `env:"CATALOG_DIR" desc:"directory of the catalogue; empty: the embedded one"`
	OpenLines  []string `env:"OPEN_LINES" desc:"planned corridors to be taken as open, such as cku, or cku@2030-01-01 from a day on: for every process of an installation alike"`
	DataDir    string   `env:"DATA_DIR" envDefault:"corridorwatch-data" desc:"where embedded broker and engine keep their data"`

	BrokerListen     string `env:"BROKER_LISTEN" envDefault:"127.0.0.1:9092" desc:"address of the embedded broker"`
	ClickHouseListen string `env:"CLICKHOUSE_LISTEN" envDefault:"127.0.0.1:8123" desc:"address of the embedded ClickHouse engine"`
	HTTPListen       string `env:"HTTP_LISTEN" envDefault:"127.0.0.1:8080" desc:"address of /v1/events, /livez, /readyz and /metrics"`
	ChdbLib          string `env:"CHDB_LIB" desc:"path of libchdb.so, for sites without npm; empty: the cache filled by 'corridorwatch engine fetch'"`

	Brokers      []string `env:"BROKERS" desc:"Kafka brokers host:port,...; empty: 'up', 'demo' and 'accept' bring their own, the others find that of the running one of DATA_DIR"`
	KafkaTLS     bool     `env:"KAFKA_TLS" desc:"speak TLS to the brokers; a file below says so too"`
	KafkaCA      string   `env:"KAFKA_CA_FILE" desc:"certificate authorities of the brokers, PEM; empty: those of the system"`
	KafkaCert    string   `env:"KAFKA_CERT_FILE" desc:"client certificate, PEM"`
	KafkaKey     string   `env:"KAFKA_KEY_FILE" desc:"its key, PEM"`
	KafkaSASL    string   `env:"KAFKA_SASL" desc:"plain, scram-sha-256 or scram-sha-512; empty: none"`
	KafkaUser    string   `env:"KAFKA_USER"`
	KafkaPass    secret   `env:"KAFKA_PASSWORD"`
	KafkaPassIn  string   `env:"KAFKA_PASSWORD_FILE" desc:"file that holds the password"`
	ClickHouse   string   `env:"CLICKHOUSE" desc:"ClickHouse HTTP address host:port; replicas separated by commas, shards by semicolons: a1,a2;b1,b2; empty: 'up', 'demo' and 'accept' bring their own, the others find that of the running one of DATA_DIR"`
	ClickCluster string   `env:"CLICKHOUSE_CLUSTER" desc:"the cluster's name in the servers' remote_servers; needed where there are several shards"`
	ClickQuorum  string   `env:"CLICKHOUSE_QUORUM" desc:"where there are replicas, how many must have an insert before it counts: a number or auto (more than half); empty: auto"`
	ClickHouseS  bool     `env:"CLICKHOUSE_TLS" desc:"speak https to ClickHouse; a file below says so too"`
	ClickCA      string   `env:"CLICKHOUSE_CA_FILE" desc:"certificate authorities of ClickHouse, PEM; empty: those of the system"`
	ClickCert    string   `env:"CLICKHOUSE_CERT_FILE" desc:"client certificate, PEM"`
	ClickKey     string   `env:"CLICKHOUSE_KEY_FILE" desc:"its key, PEM"`
	ClickUser    string   `env:"CLICKHOUSE_USER" envDefault:"default"`
	ClickPass    secret   `env:"CLICKHOUSE_PASSWORD"`
	ClickPassIn  string   `env:"CLICKHOUSE_PASSWORD_FILE" desc:"file that holds the password"`
	TokensFile   string   `env:"TOKENS_FILE" desc:"bearer tokens of POST /v1/events, a line each: token source-prefix; empty: no token is asked, on loopback only"`

	ReadersFile   string `env:"READERS_FILE" desc:"who may read /api/v1 by a bearer token, a line each: token name; empty: everybody on loopback, else nobody"`
	ReadersHeader string `env:"READERS_HEADER" desc:"header in which a reverse proxy names who has logged in and may read; it must take it out of what comes from outside"`

	AlertsFile string `env:"ALERTS_FILE" desc:"who is told of alerts, for 'deliver' and 'up' (docs/alerts.md); empty: nobody, alerts are in v_alerts alone"`

	CheckpointEvery time.Duration `env:"CHECKPOINT_EVERY" envDefault:"5s" desc:"how long a task folds before it writes its state"`
	SessionTimeout  time.Duration `env:"SESSION_TIMEOUT" envDefault:"6s" desc:"how long 'process' or 'sink' may be silent until others take over its work; brokers allow 6s to 30m unless set otherwise"`
	LogLevel        string        `env:"LOG_LEVEL" envDefault:"info" desc:"debug, info, warn or error"`
	LogFormat       string        `env:"LOG_FORMAT" desc:"text or json; empty: text on a terminal, json elsewhere"`

	Failpoint string `env:"FAILPOINT" hidden:"for tests"` // a file, see failpoint

	kafkaTLS, clickTLS *tls.Config // what the settings above come to; nil: no TLS
}

const envPrefix = "CORRIDORWATCH_"

// secret is not shown by 'config print'.
type secret string

func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// loadConfig reads the environment and reports every mistake at once.
func loadConfig() (config, error) {
	cfg, err := env.ParseAsWithOptions[config](env.Options{Prefix: envPrefix})
	var problems []error
	var all env.AggregateError
	if errors.As(err, &all) {
		problems = append(problems, all.Errors...)
	} else if err != nil {
		problems = append(problems, err)
	}
	bad := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s%s: %s", envPrefix, name, fmt.Sprintf(format, args...)))
	}
	if !validPrefix(cfg.Prefix) {
		bad("PREFIX", "%q: use lower-case letters, digits, _ and - only", cfg.Prefix)
	}
	if cfg.Partitions < 1 || cfg.Partitions > 256 {
		bad("PARTITIONS", "%d: choose 1 to 256", cfg.Partitions)
	}
	if cfg.CheckpointEvery < 100*time.Millisecond {
		bad("CHECKPOINT_EVERY", "%s: choose at least 100ms", cfg.CheckpointEvery)
	}
	if cfg.SessionTimeout < time.Second {
		bad("SESSION_TIMEOUT", "%s: choose at least 1s", cfg.SessionTimeout)
	}
	switch cfg.KafkaSASL {
	case "", "plain", "scram-sha-256", "scram-sha-512":
	default:
		bad("KAFKA_SASL", "%q: choose plain, scram-sha-256 or scram-sha-512", cfg.KafkaSASL)
	}
	if n, err := strconv.Atoi(cfg.ClickQuorum); cfg.ClickQuorum != "" && cfg.ClickQuorum != "auto" && (err != nil || n < 1) {
		bad("CLICKHOUSE_QUORUM", "%q: choose auto or a number of replicas", cfg.ClickQuorum)
	}
	if strings.Contains(cfg.ClickHouse, ";") && cfg.ClickCluster == "" {
		bad("CLICKHOUSE_CLUSTER", "CORRIDORWATCH_CLICKHOUSE names several shards: name the cluster they make in the servers' remote_servers")
	}
	switch cfg.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		bad("LOG_LEVEL", "%q: choose debug, info, warn or error", cfg.LogLevel)
	}
	switch cfg.LogFormat {
	case "", "text", "json":
	default:
		bad("LOG_FORMAT", "%q: choose text or json", cfg.LogFormat)
	}
	for _, f := range []struct {
		name, file string
		into       *secret
	}{{"KAFKA_PASSWORD_FILE", cfg.KafkaPassIn, &cfg.KafkaPass}, {"CLICKHOUSE_PASSWORD_FILE", cfg.ClickPassIn, &cfg.ClickPass}} {
		if f.file == "" {
			continue
		}
		b, err := os.ReadFile(f.file)
		if err != nil {
			bad(f.name, "%v", err)
			continue
		}
		*f.into = secret(strings.TrimSpace(string(b)))
	}
	cfg.kafkaTLS = tlsConfig("KAFKA", cfg.KafkaTLS, cfg.KafkaCA, cfg.KafkaCert, cfg.KafkaKey, bad)
	cfg.clickTLS = tlsConfig("CLICKHOUSE", cfg.ClickHouseS, cfg.ClickCA, cfg.ClickCert, cfg.ClickKey, bad)
	return cfg, errors.Join(problems...)
}

func validPrefix(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// database is the ClickHouse database of the installation.
func (c config) database() string { return strings.ReplaceAll(c.Prefix, "-", "_") }

func (c config) sasl() (sasl.Mechanism, error) {
	switch c.KafkaSASL {
	case "plain":
		return plain.Mechanism{Username: c.KafkaUser, Password: string(c.KafkaPass)}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, c.KafkaUser, string(c.KafkaPass))
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, c.KafkaUser, string(c.KafkaPass))
	}
	return nil, nil
}

// addresses of a running 'up' or 'demo'. It leaves them in its data directory, so that the other commands find it on whatever
// ports it listens.
type addresses struct {
	Brokers    []string `json:"brokers"`
	ClickHouse string   `json:"clickhouse"`
	HTTP       string   `json:"http"`
	Prefix     string   `json:"prefix"`
	PID        int      `json:"pid"`
}

func (c config) addressFile() string { return filepath.Join(c.DataDir, "addresses.json") }

func (c config) writeAddresses(a addresses) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	tmp := c.addressFile() + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("leave the addresses for other commands: %w", err)
	}
	return os.Rename(tmp, c.addressFile())
}

// find fills in the addresses that the environment leaves open from the running installation of DATA_DIR, else the defaults.
func (c config) find() (config, error) {
	running := addresses{Brokers: []string{c.BrokerListen}, ClickHouse: c.ClickHouseListen, HTTP: c.HTTPListen, Prefix: c.Prefix}
	b, err := os.ReadFile(c.addressFile())
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &running); err != nil {
			return c, fmt.Errorf("read %s: %w", c.addressFile(), err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return c, fmt.Errorf("look for a running installation: %w", err)
	}
	if len(c.Brokers) == 0 {
		c.Brokers, c.Prefix = running.Brokers, cmp.Or(running.Prefix, c.Prefix)
	}
	c.ClickHouse = cmp.Or(c.ClickHouse, running.ClickHouse)
	return c, nil
}

// settings lists every setting with its value, default and meaning, in the order of the struct.
func (c config) settings() []setting {
	var out []setting
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Tag.Get("hidden") != "" || !f.IsExported() {
			continue
		}
		name := envPrefix + f.Tag.Get("env")
		_, set := os.LookupEnv(name)
		out = append(out, setting{name: name, value: fmt.Sprint(v.Field(i).Interface()), def: f.Tag.Get("envDefault"), desc: f.Tag.Get("desc"), set: set})
	}
	return out
}

type setting struct {
	name, value, def, desc string
	set                    bool
}

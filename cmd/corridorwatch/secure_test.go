package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"corridorwatch/internal/kafkatest"
	"corridorwatch/internal/longtest"
)

// identity is a certificate that vouches for itself, as server and client, and the files that hold it.
type identity struct {
	tls       tls.Certificate
	pool      *x509.CertPool
	cert, key string
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id := identity{tls: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool: x509.NewCertPool()}
	dir := t.TempDir()
	id.cert, id.key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	id.pool.AppendCertsFromPEM(certPEM)
	for path, text := range map[string][]byte{id.cert: certPEM, id.key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// TestTLS reaches brokers and ClickHouse that show a certificate of their own and ask for one, by settings alone.
func TestTLS(t *testing.T) {
	t.Parallel()
	server, client := newIdentity(t), newIdentity(t)
	secure := &tls.Config{Certificates: []tls.Certificate{server.tls}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: client.pool}
	brokers, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(secure), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "ann", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer brokers.Close()
	base := newFleet(t) // its engine stands behind a proxy that speaks TLS
	proxy := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: base.ClickHouse}))
	proxy.TLS = secure.Clone()
	proxy.StartTLS()
	defer proxy.Close()

	set := func(p *program, of string, values ...string) {
		for i, name := range []string{"_CA_FILE", "_CERT_FILE", "_KEY_FILE"}[:len(values)] {
			p.env = append(p.env, envPrefix+of+name+"="+values[i])
		}
	}
	reach := func() *program {
		return newProgram(t, envPrefix+"BROKERS="+strings.Join(brokers.ListenAddrs(), ","), envPrefix+"KAFKA_SASL=scram-sha-256",
			envPrefix+"KAFKA_USER=ann", envPrefix+"KAFKA_PASSWORD=secret", envPrefix+"CLICKHOUSE="+proxy.Listener.Addr().String())
	}
	p := reach()
	set(p, "KAFKA", server.cert, client.cert, client.key)
	set(p, "CLICKHOUSE", server.cert, client.cert, client.key)
	if out := p.run("topics", "apply"); !strings.Contains(out, "4 partitions") {
		t.Error(out)
	}
	p.run("migrate")
	if out, err := p.try("doctor"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	strange := reach()
	set(strange, "KAFKA", client.cert, client.cert, client.key)
	if _, err := strange.try("topics", "plan"); err == nil || !strings.Contains(err.Error(), "certificate authority") {
		t.Errorf("brokers of an unknown authority: %v", err)
	}
	wrong := reach()
	set(wrong, "CLICKHOUSE", filepath.Join(p.dir, "none.pem"), client.key)
	if _, err := wrong.try("doctor"); err == nil {
		t.Error("files that cannot be read are no mistake")
	}
	if out, _ := wrong.try("doctor"); !strings.Contains(out, "CORRIDORWATCH_CLICKHOUSE_CA_FILE: open") || !strings.Contains(out, "CORRIDORWATCH_CLICKHOUSE_CERT_FILE, with") &&
		!strings.Contains(out, "CORRIDORWATCH_CLICKHOUSE_CERT_FILE: with") {
		t.Error(out)
	}
}

// TestLongGrants runs the roles on an Apache Kafka that lets each do only what 'topics plan' says it needs.
func TestLongGrants(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	cluster := kafkatest.StartConfig(t, kafkatest.Config{Nodes: 1, Secure: true})
	as := func(u kafkatest.User) []string {
		return []string{envPrefix + "KAFKA_SASL=scram-sha-512", envPrefix + "KAFKA_USER=" + u.Name, envPrefix + "KAFKA_PASSWORD=" + u.Password}
	}
	f := newFleet(t, append(as(kafkatest.Admin), envPrefix+"BROKERS="+strings.Join(cluster.Brokers, ","))...)
	role := func(u kafkatest.User) *program {
		p := *f.program
		p.env = append(append([]string{}, p.env...), as(u)...)
		return &p
	}
	if out, err := role(kafkatest.Ann).try("doctor"); err == nil || !strings.Contains(out, "bad  installation") {
		t.Errorf("without a grant: %v\n%s", err, out)
	}
	for u, roles := range map[kafkatest.User][]string{kafkatest.Ann: {"process (every stage)"}, kafkatest.Bob: {"sink", "deliver", "live", "ingest (and other producers that wait for what they sent)"}} {
		plan := f.run("topics", "plan", "--principal", "User:"+u.Name)
		for _, name := range roles {
			grantAll(t, cluster, u, plan, name)
		}
	}
	f.start("process", as(kafkatest.Ann)...)
	f.start("sink", as(kafkatest.Bob)...)
	live := f.start("live", as(kafkatest.Bob)...)
	deliver := f.start("deliver", append(as(kafkatest.Bob), envPrefix+"ALERTS_FILE="+channelFile(t, f.dir, "http://127.0.0.1:1/"))...)
	bob := role(kafkatest.Bob)
	bob.run("ingest", "--wait", "../../testdata/khorgos/events.jsonl")
	if got := strings.TrimSpace(f.run("query", "--format", "TSV", "SELECT count() > 0 FROM v_visits")); got != "true" && got != "1" {
		t.Errorf("visits: %s", got)
	}
	live.awaitReady()
	deliver.await("it has its partitions", func(l logLine) bool { return strings.Contains(l.raw, "alerts: delivering") })
	for _, r := range f.roles {
		for _, l := range r.logged() {
			if strings.Contains(l.raw, "Authorization") {
				t.Errorf("%s: %s", r.name, l.raw)
			}
		}
	}
}

// grantAll does what the commands that 'topics plan' prints for a role do.
func grantAll(t *testing.T, cluster *kafkatest.Cluster, u kafkatest.User, plan, role string) {
	t.Helper()
	_, section, found := strings.Cut(plan, "\n# "+role+"\n")
	if !found {
		t.Fatalf("no %q in\n%s", role, plan)
	}
	section, _, _ = strings.Cut(section, "\n\n")
	for line := range strings.Lines(section) {
		words := strings.Fields(line)
		var operations []kmsg.ACLOperation
		prefixed := strings.Contains(line, "--resource-pattern-type prefixed")
		for i, w := range words {
			switch w {
			case "--operation":
				op, err := kmsg.ParseACLOperation(words[i+1])
				if err != nil {
					t.Fatal(err)
				}
				operations = append(operations, op)
			case "--topic":
				cluster.Allow(u, kmsg.ACLResourceTypeTopic, words[i+1], prefixed, operations...)
			case "--group":
				cluster.Allow(u, kmsg.ACLResourceTypeGroup, words[i+1], prefixed, operations...)
			}
		}
	}
}

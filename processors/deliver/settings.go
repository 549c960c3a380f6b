package deliver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Settings are who is told of alerts, as docs/alerts.md describes the file.
type Settings struct {
	// Page is the address under which people reach the operators' page; alerts link to it. May be empty.
	Page     string           `yaml:"page"`
	Channels []channelSetting `yaml:"channels"`
}

// channelSetting is one channel: a name, one of the three targets, and what it wants.
type channelSetting struct {
	Name         string           `yaml:"name"`
	Alertmanager []string         `yaml:"alertmanager"`
	Webhook      *webhookSetting  `yaml:"webhook"`
	Telegram     *telegramSetting `yaml:"telegram"`
	Wants        `yaml:",inline"`
}

type webhookSetting struct {
	URL          string   `yaml:"url"`
	SecretFiles  []string `yaml:"secret_files"`  // each holds whsec_...; several while one takes over from the other
	AllowPrivate bool     `yaml:"allow_private"` // addresses of this machine and of private networks
}

type telegramSetting struct {
	Chat      string `yaml:"chat"`
	TokenFile string `yaml:"token_file"`
	API       string `yaml:"api"` // of an own Bot API server
}

// Load reads a file of settings and makes its channels. It reports every mistake at once. Names of files are relative to it.
func Load(path string) ([]Channel, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("settings of the alerts: %w", err)
	}
	var s Settings
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("settings of the alerts: %s: %w", path, err)
	}
	var out []Channel
	var all []error
	names := map[string]bool{}
	for i, c := range s.Channels {
		target, err := c.target(filepath.Dir(path), s.Page)
		err = errors.Join(err, c.check(names))
		if err != nil {
			all = append(all, fmt.Errorf("%s: channel %d %q: %w", path, i+1, c.Name, err))
			continue
		}
		out = append(out, Channel{Name: c.Name, Wants: c.Wants, Target: target})
	}
	return out, errors.Join(all...)
}

func (c *channelSetting) check(names map[string]bool) error {
	var all []error
	if c.Name == "" || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		all = append(all, errors.New("give it a name of lower-case letters, digits, _ and -: its consumer group has that name"))
	}
	if names[c.Name] {
		all = append(all, errors.New("another channel has this name"))
	}
	names[c.Name] = true
	if c.Severity != "" && !slices.Contains(severities, c.Severity) {
		all = append(all, fmt.Errorf("severity is %s, not %q", strings.Join(severities, ", "), c.Severity))
	}
	return errors.Join(all...)
}

func (c *channelSetting) target(dir, page string) (Target, error) {
	given := 0
	for _, is := range []bool{len(c.Alertmanager) > 0, c.Webhook != nil, c.Telegram != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, errors.New("give exactly one of alertmanager, webhook, telegram")
	}
	switch {
	case c.Webhook != nil:
		return c.Webhook.target(dir)
	case c.Telegram != nil:
		return c.Telegram.target(dir, page)
	}
	for _, u := range c.Alertmanager {
		if err := checkURL(u); err != nil {
			return nil, fmt.Errorf("alertmanager: %w", err)
		}
	}
	return newAlertmanager(c.Alertmanager, page), nil
}

func (s *webhookSetting) target(dir string) (Target, error) {
	if err := checkURL(s.URL); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	var secrets [][]byte
	for _, f := range s.SecretFiles {
		text, err := readSecret(dir, f)
		if err != nil {
			return nil, fmt.Errorf("webhook: %w", err)
		}
		key, err := Secret(text)
		if err != nil {
			return nil, fmt.Errorf("webhook: %s: %w", f, err)
		}
		secrets = append(secrets, key)
	}
	if len(secrets) == 0 {
		return nil, errors.New("webhook: secret_files is missing: what is not signed could come from anybody")
	}
	return newWebhook(s.URL, secrets, s.AllowPrivate), nil
}

func (s *telegramSetting) target(dir, page string) (Target, error) {
	if s.Chat == "" || s.TokenFile == "" {
		return nil, errors.New("telegram: chat and token_file are needed")
	}
	token, err := readSecret(dir, s.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("telegram: %w", err)
	}
	if s.API == "" {
		s.API = "https://api.telegram.org"
	}
	if err := checkURL(s.API); err != nil {
		return nil, fmt.Errorf("telegram: api: %w", err)
	}
	return newTelegram(s.API, token, s.Chat, page), nil
}

func readSecret(dir, name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is no address: write http://host:port or https://host/path", s)
	}
	return nil
}

// Secret reads a webhook's key as Standard Webhooks writes it: whsec_ and base64, 24 to 64 bytes.
func Secret(text string) ([]byte, error) {
	code, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(code)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a secret is whsec_ followed by 24 to 64 bytes in base64: make one with: echo whsec_$(openssl rand -base64 32)")
	}
	return key, nil
}

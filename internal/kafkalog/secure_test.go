package kafkalog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"corridorwatch/internal/kafkalog"
)

// selfSigned makes a certificate for loopback and the pool that trusts it.
func selfSigned(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLSWithSASL(t *testing.T) {
	cert, pool := selfSigned(t)
	c := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}), kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "secret"))
	config := kafkalog.Config{
		Brokers: c.ListenAddrs(), TLS: &tls.Config{RootCAs: pool}, SASL: plain.Mechanism{Username: "ann", Password: "secret"},
		Log: slog.New(slog.DiscardHandler),
	}
	ctx := within(t, 20*time.Second)
	k := kafkalog.New(config)
	defer k.Close()
	create(t, k, "t", 1)
	a := k.Appender("t", 0)
	a.Append(nil, []byte("over TLS"))
	flush(t, a)
	if got := readTo(t, k, "t", 0, 0, 1); got[0].value != "over TLS" {
		t.Errorf("read %+v", got)
	}

	// This broker closes the connection of who does not know the password; a real one says so first.
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		res.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return res, nil, strings.HasSuffix(string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes), "wrong")
	})
	stranger := config
	stranger.SASL = plain.Mechanism{Username: "ann", Password: "wrong"}
	k = kafkalog.New(stranger)
	defer k.Close()
	if _, err := k.Reader("t", 0, 0).Next(ctx); !errors.Is(err, kafka.SASLAuthenticationFailed) || !strings.Contains(err.Error(), "password") {
		t.Errorf("wrong password: %v", err)
	}

	distrusting := config
	distrusting.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	k = kafkalog.New(distrusting)
	defer k.Close()
	if _, err := k.Reader("t", 0, 0).Next(ctx); !errors.As(err, new(*kafkalog.BrokerError)) || !strings.Contains(err.Error(), "certificate authority") {
		t.Errorf("unknown authority: %v", err)
	}
	if err := k.Ping(ctx); err == nil {
		t.Error("ping without trust succeeded")
	}
}

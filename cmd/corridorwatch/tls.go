package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
)

// tlsConfig reads the files that the settings of KAFKA or CLICKHOUSE name; nil if none says TLS. It tells bad what is wrong with them.
func tlsConfig(of string, on bool, ca, cert, key string, bad func(name, format string, args ...any)) *tls.Config {
	if !on && ca == "" && cert == "" && key == "" {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		c.RootCAs = x509.NewCertPool()
		if err != nil {
			bad(of+"_CA_FILE", "%v", err)
		} else if !c.RootCAs.AppendCertsFromPEM(pem) {
			bad(of+"_CA_FILE", "%s holds no certificate in PEM", ca)
		}
	}
	if cert == "" && key == "" {
		return c
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		bad(of+"_CERT_FILE", "with %s_KEY_FILE: %v", envPrefix+of, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c
}

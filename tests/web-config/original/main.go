// Asks the Go original for its verdict on each of our cases: a file that we
// accept it must accept, and one that we refuse it must refuse, but for the
// differences that docs/security.md tells of.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// What the original accepts and we refuse, each with its line in the table of
// docs/security.md.
var stricter = map[string]bool{
	"ca-no-pem.bad.yml":         true,
	"ciphers-http2.bad.yml":     true,
	"ciphers-not-ours.bad.yml":  true,
	"curves-not-ours.bad.yml":   true,
	"policy-without-ca.bad.yml": true,
	"version-too-old.bad.yml":   true,
	"versions-crossed.bad.yml":  true,
}

func main() {
	folder, err := os.MkdirTemp("", "web-config")
	must(err)
	defer os.RemoveAll(folder)
	write := func(name string, content []byte) {
		must(os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	cert, key := certificate("localhost")
	ca, otherKey := certificate("authority")
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0x30, 0}})
	write("cert.pem", cert)
	write("key.pem", key)
	write("ca.pem", ca)
	write("other-key.pem", otherKey)
	write("encrypted-key.pem", encrypted)
	write("no-pem.txt", []byte("nothing of the kind\n"))

	cases, err := filepath.Glob(filepath.Join(os.Args[1], "*.yml"))
	must(err)
	wrong, told := 0, map[string]bool{}
	for _, path := range cases {
		name := filepath.Base(path)
		content, err := os.ReadFile(path)
		must(err)
		write(name, content)
		verdict := web.Validate(filepath.Join(folder, name))
		accepted := verdict == nil
		expected := strings.HasSuffix(name, ".good.yml") || stricter[name]
		told[name] = true
		if accepted != expected {
			wrong++
			fmt.Printf("%s: the original says %v\n", name, verdict)
		}
	}
	for name := range stricter {
		if !told[name] {
			wrong++
			fmt.Printf("%s is no case any more\n", name)
		}
	}
	if len(cases) < 50 || wrong > 0 {
		fmt.Printf("%d cases, %d of another verdict\n", len(cases), wrong)
		os.Exit(1)
	}
	fmt.Printf("%d cases with the verdict of the original, %d stricter on purpose\n", len(cases)-len(stricter), len(stricter))
}

func certificate(name string) ([]byte, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	must(err)
	keyDer, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDer})
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
}

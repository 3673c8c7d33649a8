// Runs the Go original on each case: it must accept the files that this crate
// accepts and refuse those that it refuses, except for the differences listed in
// the README.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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

// Files that the original accepts and this crate refuses, each with its line in
// the table of the README.
var stricter = map[string]bool{
	"ca-no-pem.bad.yml":        true,
	"ciphers-http2.bad.yml":    true,
	"ciphers-not-ours.bad.yml": true,
	"curves-not-ours.bad.yml":  true,
	"version-too-old.bad.yml":  true,
	"versions-crossed.bad.yml": true,
}

// Files that this crate accepts and the original refuses, likewise.
var laxer = map[string]bool{
	"key-joined-on-windows.good.yml": true,
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
	windows := strings.ReplaceAll("\ufeff"+string(cert)+"\ufeff"+string(key), "\n", " \r\n ")
	write("both.pem", []byte(windows))
	vaultCert, vaultKey := vaultCertificate("localhost")
	write("vault-cert.pem", vaultCert)
	write("vault-key.pem", vaultKey)
	write("no-pem.txt", []byte("no PEM at all\n"))

	cases, err := filepath.Glob(filepath.Join(os.Args[1], "*.yml"))
	must(err)
	wrong, seen := 0, map[string]bool{}
	for _, path := range cases {
		name := filepath.Base(path)
		content, err := os.ReadFile(path)
		must(err)
		write(name, content)
		result := web.Validate(filepath.Join(folder, name))
		accepted := result == nil
		expected := (strings.HasSuffix(name, ".good.yml") || stricter[name]) && !laxer[name]
		seen[name] = true
		if accepted != expected {
			wrong++
			fmt.Printf("%s: the original returns %v\n", name, result)
		}
	}
	for _, names := range []map[string]bool{stricter, laxer} {
		for name := range names {
			if !seen[name] {
				wrong++
				fmt.Printf("%s is not a case any more\n", name)
			}
		}
	}
	if len(cases) < 50 || wrong > 0 {
		fmt.Printf("%d cases, %d with another result\n", len(cases), wrong)
		os.Exit(1)
	}
	same := len(cases) - len(stricter) - len(laxer)
	fmt.Printf("%d cases with the result of the original, %d stricter and %d laxer on purpose\n", same, len(stricter), len(laxer))
}

func certificate(name string) ([]byte, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	keyDer, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	return selfSigned(name, key), privateKey(keyDer)
}

// The key in PKCS#1 under the label of PKCS#8, as Key Vault writes it.
func vaultCertificate(name string) ([]byte, []byte) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	return selfSigned(name, key), privateKey(x509.MarshalPKCS1PrivateKey(key))
}

func privateKey(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func selfSigned(name string, key crypto.Signer) []byte {
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
}

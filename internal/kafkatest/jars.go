package kafkatest

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

//go:embed pom.xml
var pom []byte

// Version of the broker.
var Version = string(regexp.MustCompile(`kafka_2\.13</artifactId><version>([^<]+)`).FindSubmatch(pom)[1])

// java runs classes of the broker's jars.
type java struct {
	libs    string
	archive string // see makeArchive
}

// flags make a JVM that starts fast and stays small: what tests do to a broker does not repay the optimizing compiler.
var flags = []string{"-Xms64m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}

// command runs a class with arguments; options of the JVM may stand before it.
func (j java) command(args ...string) *exec.Cmd {
	if j.archive != "" {
		args = append([]string{"-XX:SharedArchiveFile=" + j.archive}, args...)
	}
	cmd := exec.Command("java", append(slices.Clone(flags), args...)...)
	cmd.Env = append(os.Environ(), "CLASSPATH="+filepath.Join(j.libs, "*"))
	return cmd
}

// Find tells whether tests have Apache Kafka: where its jars lie, or what is missing.
func Find() (dir string, err error) {
	j, err := findJava()
	return j.libs, err
}

func findJava() (java, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return java{}, errors.New("java is not installed (Debian package default-jre-headless): no Apache Kafka")
	}
	libs, err := jars()
	if err != nil {
		return java{}, err
	}
	archive := filepath.Join(libs, "classes.jsa")
	if _, err := os.Stat(archive); err != nil {
		if err := (java{libs: libs}).makeArchive(archive); err != nil {
			return java{}, fmt.Errorf("try out Apache Kafka: %w", err)
		}
	}
	return java{libs, archive}, nil
}

// jars returns the directory of the broker's jars, which Maven fetches once per user.
func jars() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "corridorwatch", "apache-kafka", Version)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", errors.New("mvn is not installed (Debian package maven): no Apache Kafka")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	libs := filepath.Join(temp, "libs")
	if err := fetchJars(temp, libs); err != nil {
		return "", err
	}
	if err := os.Rename(libs, dir); err != nil {
		if _, other := os.Stat(dir); other == nil {
			return dir, nil // another test was faster
		}
		return "", err
	}
	return dir, nil
}

func fetchJars(temp, libs string) error {
	project := filepath.Join(temp, "pom.xml")
	if err := os.WriteFile(project, pom, 0o644); err != nil {
		return err
	}
	out, err := exec.Command("mvn", "-B", "-q", "-f", project, "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+libs).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fetch Apache Kafka %s with Maven: %w\n%s", Version, err, out)
	}
	return nil
}

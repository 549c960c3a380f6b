package kafkatest

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// User is who a client of a secure cluster says it is.
type User struct{ Name, Password string }

// Users of a secure cluster. Admin may do everything, the others what they are granted.
var (
	Admin = User{"admin", "admin-secret"}
	Ann   = User{"ann", "ann-secret"}
	Bob   = User{"bob", "bob-secret"}
)

var users = []User{Admin, Ann, Bob}

// securely are the settings of a node that asks clients for a password. The nodes themselves are nobody on the inner listener, which
// may do everything there.
func securely() map[string]string {
	var logins strings.Builder
	for _, u := range users {
		fmt.Fprintf(&logins, " user_%s=%q", u.Name, u.Password)
	}
	const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	return map[string]string{
		"listener.security.protocol.map":                      "CLIENT:SASL_PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"sasl.enabled.mechanisms":                             "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"listener.name.client.plain.sasl.jaas.config":         "org.apache.kafka.common.security.plain.PlainLoginModule required" + logins.String() + ";",
		"listener.name.client.scram-sha-256.sasl.jaas.config": scram,
		"listener.name.client.scram-sha-512.sasl.jaas.config": scram,
		"authorizer.class.name":                               "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                                         "User:" + Admin.Name + ";User:ANONYMOUS",
	}
}

// scramUsers are arguments of the storage tool, which writes the users into the cluster's first metadata.
func scramUsers() (args []string) {
	for _, u := range users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, u.Name, u.Password))
		}
	}
	return args
}

// Allow grants operations on a resource, or with prefixed on all whose names begin so.
func (c *Cluster) Allow(u User, on kmsg.ACLResourceType, name string, prefixed bool, operations ...kmsg.ACLOperation) {
	c.t.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	for _, op := range operations {
		acl := kmsg.NewCreateACLsRequestCreation()
		acl.ResourceType, acl.ResourceName, acl.ResourcePatternType = on, name, kmsg.ACLResourcePatternTypeLiteral
		if prefixed {
			acl.ResourcePatternType = kmsg.ACLResourcePatternTypePrefixed
		}
		acl.Principal, acl.Host, acl.Operation, acl.PermissionType = "User:"+u.Name, "*", op, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, acl)
	}
	res, err := ask[*kmsg.CreateACLsResponse](c, req)
	if err != nil {
		c.t.Fatalf("grant: %v", err)
	}
	for _, r := range res.Results {
		if r.ErrorCode != 0 {
			c.t.Fatalf("grant: %s", *r.ErrorMessage)
		}
	}
}

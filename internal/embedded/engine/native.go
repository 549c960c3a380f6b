package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// recode translates blocks of the Native format from revision 0, which is what the engine writes, to the revision a client asked for
// with client_protocol_version. Two things differ: each block begins with a few bytes about itself, and each column says whether its
// values are encoded in a special way (they never are). Since nothing tells how long a column is, all of it is decoded and encoded.
func recode(native []byte, revision uint64) ([]byte, error) {
	r := chproto.NewReader(bytes.NewReader(native))
	var out chproto.Buffer
	for {
		block := proto.Block{ServerContext: &column.ServerContext{VersionMajor: 26, VersionMinor: 7}}
		err := block.Decode(r, 0)
		if errors.Is(err, io.EOF) && len(block.Columns) == 0 {
			return out.Buf, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decode a block of the result: %w", err)
		}
		if err := encode(&out, &block, revision); err != nil {
			return nil, fmt.Errorf("encode a block of the result: %w", err)
		}
	}
}

// encode writes a block. A block without rows is only its columns' names and types, not even their prefixes.
func encode(out *chproto.Buffer, block *proto.Block, revision uint64) error {
	if block.Rows() > 0 {
		return block.Encode(out, revision)
	}
	if err := block.EncodeHeader(out, revision); err != nil {
		return err
	}
	for _, c := range block.Columns {
		out.PutString(c.Name())
		out.PutString(string(c.Type()))
		if revision >= proto.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION {
			out.PutBool(false)
		}
	}
	return nil
}

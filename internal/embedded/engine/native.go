package engine

import (
	"bufio"
	"bytes"
	"fmt"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// recode translates blocks of the Native format from revision 0, which is what the engine writes, to the revision a client asked for
// with client_protocol_version. Between the two, only the frame differs (in brackets what revision 0 lacks):
//
//	[block info]  columns  rows  { name  type  [special encoding: 0]  values } …
//
// so values are copied as they are. But nothing tells how long they are, so clickhouse-go decodes them, to see where they end.
func recode(native []byte, revision uint64) (out []byte, err error) {
	b := nativeReader{native: native, rest: bytes.NewReader(native)}
	// A bufio.Reader that is large enough is used as it is, so that it can be asked how far it was read.
	b.buffered = bufio.NewReaderSize(b.rest, 1<<20)
	b.Reader = chproto.NewReader(b.buffered)
	buffer := chproto.Buffer{Buf: make([]byte, 0, len(native)+256)}
	defer func() {
		if r := recover(); r != nil { // the decoder of a type that clickhouse-go does not know well
			err = fmt.Errorf("translate the result for revision %d at byte %d: %v", revision, b.offset(), r)
		}
	}()
	for b.offset() < len(native) {
		if err := b.copyBlock(&buffer, revision); err != nil {
			return nil, fmt.Errorf("translate the result for revision %d at byte %d: %w", revision, b.offset(), err)
		}
	}
	return buffer.Buf, nil
}

// nativeReader reads blocks of revision 0 and knows how far it has read.
type nativeReader struct {
	*chproto.Reader
	native   []byte
	rest     *bytes.Reader
	buffered *bufio.Reader
}

func (b *nativeReader) offset() int { return len(b.native) - b.rest.Len() - b.buffered.Buffered() }

func (b *nativeReader) copyBlock(out *chproto.Buffer, revision uint64) error {
	columns, err := b.UVarInt()
	if err != nil {
		return fmt.Errorf("number of columns: %w", err)
	}
	rows, err := b.Int()
	if err != nil {
		return fmt.Errorf("number of rows: %w", err)
	}
	if revision > 0 {
		// Field 1: not an overflow row of GROUP BY. Field 2: no bucket. Field 0: the end.
		out.PutUVarInt(1)
		out.PutBool(false)
		out.PutUVarInt(2)
		out.PutInt32(-1)
		out.PutUVarInt(0)
	}
	out.PutUVarInt(columns)
	out.PutInt(rows)
	for i := range columns {
		if err := b.copyColumn(out, revision, rows); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

func (b *nativeReader) copyColumn(out *chproto.Buffer, revision uint64, rows int) error {
	name, err := b.Str()
	if err != nil {
		return fmt.Errorf("name: %w", err)
	}
	typeName, err := b.Str()
	if err != nil {
		return fmt.Errorf("type: %w", err)
	}
	out.PutString(name)
	out.PutString(typeName)
	if revision >= proto.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION {
		out.PutBool(false)
	}
	if rows == 0 {
		return nil
	}
	start := b.offset()
	if err := b.skipValues(typeName, rows); err != nil {
		return fmt.Errorf("%s %s: %w", name, typeName, err)
	}
	out.PutRaw(b.native[start:b.offset()])
	return nil
}

// skipValues reads the values of a column.
func (b *nativeReader) skipValues(typeName string, rows int) error {
	values, err := column.Type(typeName).Column("", &column.ServerContext{VersionMajor: 26, VersionMinor: 7})
	if err != nil {
		return err
	}
	if prefixed, ok := values.(column.CustomSerialization); ok {
		if err := prefixed.ReadStatePrefix(b.Reader); err != nil {
			return err
		}
	}
	return values.Decode(b.Reader, rows)
}

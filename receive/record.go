package receive

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// record is a group of elements for one list, as the spool keeps it:
//
//	length of the payload  4 bytes, big-endian
//	CRC-32C of the payload 4 bytes
//	payload                sequence 8 bytes, then the list's name and the elements, each with its length as uvarint before it
type record struct {
	Sequence uint64 // grows with each group of a spool's owner
	List     string
	Elements [][]byte
}

const (
	recordHeader = 8
	// maxRecord bounds the payload: a damaged length must not make us allocate gigabytes.
	maxRecord = 256 << 20
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errDamaged = errors.New("damaged record")
)

func (r record) encode() []byte {
	size := recordHeader + 8 + binary.MaxVarintLen64 + len(r.List)
	for _, e := range r.Elements {
		size += binary.MaxVarintLen64 + len(e)
	}
	b := make([]byte, recordHeader, size)
	b = binary.BigEndian.AppendUint64(b, r.Sequence)
	b = append(binary.AppendUvarint(b, uint64(len(r.List))), r.List...)
	for _, e := range r.Elements {
		b = append(binary.AppendUvarint(b, uint64(len(e))), e...)
	}
	payload := b[recordHeader:]
	binary.BigEndian.PutUint32(b, uint32(len(payload)))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(payload, castagnoli))
	return b
}

// readRecord reads the next record. io.EOF: there is none. errDamaged: what follows is none, or not complete.
func readRecord(from io.Reader) (r record, size int64, err error) {
	var header [recordHeader]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return r, 0, damagedUnlessEnd(err)
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > maxRecord {
		return r, 0, errDamaged
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(from, payload); err != nil {
		return r, 0, errDamaged
	}
	if crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(header[4:]) {
		return r, 0, errDamaged
	}
	r, err = decodeRecord(payload)
	return r, recordHeader + int64(length), err
}

func damagedUnlessEnd(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	return err
}

func decodeRecord(b []byte) (r record, err error) {
	if len(b) < 8 {
		return r, errDamaged
	}
	r.Sequence = binary.BigEndian.Uint64(b)
	for b, first := b[8:], true; len(b) > 0; first = false {
		n, width := binary.Uvarint(b)
		if width <= 0 || n > uint64(len(b)-width) {
			return r, errDamaged
		}
		text := b[width : width+int(n)]
		b = b[width+int(n):]
		if first {
			r.List = string(text)
			continue
		}
		r.Elements = append(r.Elements, text)
	}
	return r, nil
}

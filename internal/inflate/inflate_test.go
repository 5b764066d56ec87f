package inflate

import (
	"bytes"
	stdadler "hash/adler32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
)

const limit = 1 << 20

// reference decompresses with a library. tooLong: there is more than limit.
func reference(stream []byte) (out []byte, tooLong bool, err error) {
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, false, err
	}
	out, err = io.ReadAll(io.LimitReader(r, limit+1))
	return out, len(out) > limit, err
}

func check(t *testing.T, stream []byte) {
	t.Helper()
	want, tooLong, wantErr := reference(stream)
	got, err := Zlib(nil, stream, limit)
	switch {
	case tooLong:
		if err != ErrTooLong {
			t.Fatalf("%x: %v, want too long", stream, err)
		}
	case (err == nil) != (wantErr == nil):
		t.Fatalf("%x: %v, want %v", stream, err, wantErr)
	case err == nil && !bytes.Equal(got, want):
		t.Fatalf("%x: %q, want %q", stream, got, want)
	}
}

func compressed(tb testing.TB, data []byte, level int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// samples are texts of all kinds: repetitive, random over alphabets of many sizes (long codes among them), with far matches.
func samples() (all [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 2, 3, 7, 64, 300, 4500, 70_000, limit - 1, limit, limit + 1} {
		all = append(all, bytes.Repeat([]byte("a"), size))
		if size >= limit-1 {
			continue
		}
		all = append(all, bytes.Repeat([]byte("abcdefghijk"), size/11))
		for _, alphabet := range []int{2, 30, 256} {
			text := make([]byte, size)
			for i := range text {
				text[i] = byte(min(r.IntN(alphabet), r.IntN(alphabet), r.IntN(alphabet)))
			}
			all = append(all, text, append(bytes.Clone(text), text...))
		}
		skewed := make([]byte, size)
		for i := range skewed {
			skewed[i] = byte(r.ExpFloat64() * 4)
		}
		all = append(all, skewed)
	}
	return all
}

func TestOutputIsThatOfTheLibrary(t *testing.T) {
	for _, text := range samples() {
		for _, level := range []int{zlib.NoCompression, zlib.HuffmanOnly, zlib.BestSpeed, zlib.DefaultCompression, zlib.BestCompression} {
			check(t, compressed(t, text, level))
		}
	}
}

func TestDamageIsFoundLikeByTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, level := range []int{zlib.NoCompression, zlib.BestSpeed, zlib.BestCompression} {
		stream := compressed(t, []byte(strings.Repeat("Lorem ipsum dolor sit amet. ", 3)+"consectetur adipisici elit, sed eiusmod tempor"), level)
		for n := range stream {
			check(t, stream[:n])
			check(t, append(bytes.Clone(stream), stream[:n]...))
			for range 40 {
				damaged := bytes.Clone(stream)
				damaged[n] = byte(r.Uint32())
				check(t, damaged)
			}
		}
	}
}

func TestBufferIsUsed(t *testing.T) {
	stream := compressed(t, []byte("hello hello hello"), zlib.BestCompression)
	buf := make([]byte, 3, 1000)
	got, err := Zlib(buf, stream, limit)
	if err != nil || string(got) != "hello hello hello" || &got[0] != &buf[0] {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPresetDictionaryIsRefused(t *testing.T) {
	if _, err := Zlib(nil, []byte{0x78, 0xbb, 0, 0, 0, 0}, limit); err == nil {
		t.Error("accepted")
	}
}

func TestAdler32(t *testing.T) {
	data := bytes.Repeat([]byte{255}, 10_000)
	for n := range data {
		if got, want := adler32(data[:n]), stdadler.Checksum(data[:n]); got != want {
			t.Fatalf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

func FuzzZlib(f *testing.F) {
	for _, text := range samples() {
		if len(text) < 5000 {
			f.Add(compressed(f, text, zlib.BestCompression))
			f.Add(compressed(f, text, zlib.BestSpeed))
		}
	}
	f.Add([]byte{0x78, 0x9c, 0x03, 0x00})
	f.Fuzz(func(t *testing.T, stream []byte) { check(t, stream) })
}

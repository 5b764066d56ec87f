package receive

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
)

// transparentImage is the answer to a tracking request: a GIF of one transparent pixel.
const transparentImage = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// Image is what tracking requests are answered with. The zero Image is a transparent pixel.
type Image struct {
	bytes []byte
	kind  string // MIME type
}

var pixel = newImage([]byte(transparentImage), "image/gif")

func newImage(b []byte, kind string) Image {
	return Image{b, kind}
}

func (i Image) orDefault() Image {
	if i.bytes == nil {
		return pixel
	}
	return i
}

// imageTypes are those that Matomo takes.
var imageTypes = []string{"image/png", "image/gif", "image/jpeg"}

// LoadImage reads the image of the setting [Tracker] custom_image: base64 that ends with "==", or the path of a file;
// "" is the transparent pixel. An image that Matomo would not take is an error; Matomo then uses the pixel.
func LoadImage(setting string) (Image, error) {
	if setting == "" {
		return Image{}, nil
	}
	read := os.ReadFile
	if len(setting) > 2 && strings.HasSuffix(setting, "==") {
		read = base64.StdEncoding.DecodeString
	}
	b, err := read(setting)
	if err != nil {
		return Image{}, fmt.Errorf("custom_image: %w", err)
	}
	kind := http.DetectContentType(b)
	if !slices.Contains(imageTypes, kind) {
		return Image{}, fmt.Errorf("custom_image: %s is none of %s", kind, strings.Join(imageTypes, ", "))
	}
	return newImage(b, kind), nil
}

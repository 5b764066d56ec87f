package phpchild

import "fmt"

// place is what the child is at: no request where the set is -1.
type place struct{ set, request, tracked int }

// readPlace reads what the child has written of its place.
func (c *Child) readPlace() place {
	text := make([]byte, placeSize)
	n, _ := c.place.ReadAt(text, 0) // it is empty before the first batch
	var p place
	if _, err := fmt.Sscan(string(text[:n]), &p.set, &p.request, &p.tracked); err != nil {
		return place{set: -1}
	}
	return p
}

// placeSize is that of the child's three numbers.
const placeSize = 33

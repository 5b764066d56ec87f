package receive

import "github.com/queuedtracking/queuedtracking/queue"

// encode gives the element of a queue that holds the set.
func encode(set queue.RequestSet) ([]byte, error) { return queue.Encode(set) }

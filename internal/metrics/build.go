package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// NewBuild tells which program runs: queuedtracking_build_info is always 1 and has the version in a label, and Go's.
func NewBuild(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "queuedtracking_build_info", Help: "Version of this program and of the Go that built it; always 1.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	}, func() float64 { return 1 })
}

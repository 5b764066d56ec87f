package php

// Placeholders for the surface of the package; each moves to the file of its topic.

func StrToTime(s string, now int64) (int64, bool) { return 0, false }

package store

// isOfSurroundings reports whether an error of the server is about itself, the connection, rights, settings or the
// schema: it would hit every row.
func isOfSurroundings(err error) bool {
	number := serverError(err)
	switch sqlState(err) {
	case "0A", "21", "25", "28", "3D", "3F", "70", "XA":
		return true
	case "42": // syntax, rights and the schema
		return !ofRows[number]
	}
	return ofSurroundings[number]
}

// ofRows are the errors of class 42 that depend on the row.
var ofRows = set(
	1118, // row too large
	1138, // NULL where there can be none
	1139, // regular expression
	1172, // more than one row, in a trigger
)

// ofSurroundings are errors of other classes, most of them of HY000, "general error". An error that is new, or was
// forgotten, is taken for one of the rows, and becomes a dead letter only if other rows are written.
var ofSurroundings = set(
	// files, disk and memory
	1003, 1004, 1005, 1006, 1009, 1010, 1014, 1015, 1016, 1017, 1018, 1019, 1021, 1023, 1024, 1026, 1027, 1028,
	1030, 1033, 1034, 1035, 1036, 1037, 1038, 1041, 1114, 1135, 1194, 1195, 1206, 1436, 1637, 1712, 1812, 1813,
	1814, 1815, 1877, 1878, 1932, 3170,
	// connection and messages
	1043, 1080, 1129, 1130, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1243, 1461, 1835,
	// schema: columns, tables, keys, views and triggers that are missing, or not as they should be
	1007, 1008, 1052, 1105, 1136, 1146, 1168, 1176, 1329, 1347, 1356, 1360, 1431, 1449, 1456, 1524, 1535, 1548,
	1577, 1588,
	// tables and servers that take no writes now
	1099, 1100, 1192, 1197, 1198, 1207, 1223, 1399, 1400, 1568, 1573, 3098, 3100,
	// settings, variables, character sets, versions
	1175, 1193, 1194, 1210, 1227, 1229, 1231, 1232, 1233, 1235, 1236, 1237, 1238, 1253, 1267, 1270, 1271, 1273,
	1289, 1295, 1298, 1418, 1419, 1428, 1477, 1580, 1592, 1598, 1665, 1668, 1785, 1786, 1837, 1845, 1846, 1873,
	1969, 3024, 3065, 4165,
	// transactions
	1179, 1181, 1183,
)

func set(numbers ...uint16) map[uint16]bool {
	all := make(map[uint16]bool, len(numbers))
	for _, number := range numbers {
		all[number] = true
	}
	return all
}

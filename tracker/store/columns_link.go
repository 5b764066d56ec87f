package store

import "strconv"

// linkColumns lists the columns of log_link_visit_action (spec §5.9).
func linkColumns(dimensions []int, variables int) []column[LinkAction] {
	type c = column[LinkAction]
	columns := []c{
		{name: "idvisit", value: func(l *LinkAction) any { return visitID(l.Visit) }},
		{name: "idsite", value: func(l *LinkAction) any { return &l.SiteID }},
		{name: "idvisitor", value: func(l *LinkAction) any { return &l.Visitor }},
		{name: "server_time", value: func(l *LinkAction) any { return &l.ServerTime }},
		{name: "idaction_url_ref", value: func(l *LinkAction) any { return &l.URLRef }},
		{name: "idaction_name_ref", value: func(l *LinkAction) any { return &l.NameRef }},
		{name: "idaction_name", value: func(l *LinkAction) any { return &l.Name }},
		{name: "idaction_url", value: func(l *LinkAction) any { return &l.URL }},
		{name: "custom_float", value: func(l *LinkAction) any { return &l.CustomFloat }},
		{name: "bandwidth", owner: bandwidth, value: func(l *LinkAction) any { return &l.Bandwidth }},

		{name: "idpageview", owner: actions, value: func(l *LinkAction) any { return &l.PageviewID }},
		{name: "pageview_position", owner: actions, value: func(l *LinkAction) any { return &l.PageviewPosition }},
		{name: "search_cat", owner: actions, value: func(l *LinkAction) any { return &l.SearchCategory }},
		{name: "search_count", owner: actions, value: func(l *LinkAction) any { return &l.SearchCount }},
		{name: "time_spent_ref_action", owner: actions, value: func(l *LinkAction) any { return &l.TimeSpentRef }},
		{name: "time_spent", owner: customDimensions, value: func(l *LinkAction) any { return &l.TimeSpent }},

		{name: "idaction_event_category", owner: events, value: func(l *LinkAction) any { return &l.EventCategory }},
		{name: "idaction_event_action", owner: events, value: func(l *LinkAction) any { return &l.EventAction }},
		{
			name: "idaction_content_interaction", owner: contents,
			value: func(l *LinkAction) any { return &l.ContentInteraction },
		},
		{name: "idaction_content_name", owner: contents, value: func(l *LinkAction) any { return &l.ContentName }},
		{name: "idaction_content_piece", owner: contents, value: func(l *LinkAction) any { return &l.ContentPiece }},
		{name: "idaction_content_target", owner: contents, value: func(l *LinkAction) any { return &l.ContentTarget }},

		{name: "idaction_product_name", owner: ecommerce, value: func(l *LinkAction) any { return &l.ProductName }},
		{name: "idaction_product_sku", owner: ecommerce, value: func(l *LinkAction) any { return &l.ProductSKU }},
		{name: "product_price", owner: ecommerce, value: func(l *LinkAction) any { return &l.ProductPrice }},
	}
	columns = append(columns, categoryColumns("idaction_product_cat", ecommerce,
		func(l *LinkAction) *[5]ActionID { return &l.ProductCategories })...)
	columns = append(columns, performanceColumns()...)
	columns = append(columns, dimensionColumns(dimensions,
		func(l *LinkAction) []NullText { return l.CustomDimensions })...)
	return append(columns, variableColumns(variables, func(l *LinkAction) []CustomVar { return l.CustomVars })...)
}

// performanceColumns lists the columns of plugin PagePerformance (spec §5.8).
func performanceColumns() []column[LinkAction] {
	type c = column[LinkAction]
	return []c{
		{name: "time_network", owner: pagePerformance, value: func(l *LinkAction) any { return &l.Performance.Network }},
		{name: "time_server", owner: pagePerformance, value: func(l *LinkAction) any { return &l.Performance.Server }},
		{name: "time_transfer", owner: pagePerformance, value: func(l *LinkAction) any { return &l.Performance.Transfer }},
		{
			name: "time_dom_processing", owner: pagePerformance,
			value: func(l *LinkAction) any { return &l.Performance.DOMProcessing },
		},
		{
			name: "time_dom_completion", owner: pagePerformance,
			value: func(l *LinkAction) any { return &l.Performance.DOMCompletion },
		},
		{name: "time_on_load", owner: pagePerformance, value: func(l *LinkAction) any { return &l.Performance.OnLoad }},
	}
}

// categoryColumns lists five columns: the first without a number, then 2 to 5.
func categoryColumns[R any](base string, plugin *owner, of func(*R) *[5]ActionID) []column[R] {
	var columns []column[R]
	for i := range 5 {
		name := base
		if i > 0 {
			name += strconv.Itoa(i + 1)
		}
		columns = append(columns, column[R]{name: name, owner: plugin, value: func(r *R) any { return &of(r)[i] }})
	}
	return columns
}

// rowID is the number of a row, or a reference to one that the script under way inserts.
type rowID int64

// visitID points to a row's idvisit.
func visitID(v *Visit) any {
	if v == nil {
		return nil
	}
	return (*rowID)(&v.ID)
}

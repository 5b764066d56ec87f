package store

// conversionColumns lists the columns of log_conversion (spec §8.4). The revenue belongs to the core here: goals
// without plugin Ecommerce take theirs from an event's value.
func conversionColumns(dimensions []int, variables int) []column[Conversion] {
	type c = column[Conversion]
	columns := []c{
		{name: "idvisit", value: func(c *Conversion) any { return visitID(c.Visit) }},
		{name: "idsite", value: func(c *Conversion) any { return &c.SiteID }},
		{name: "idvisitor", value: func(c *Conversion) any { return &c.Visitor }},
		{name: "server_time", value: func(c *Conversion) any { return &c.ServerTime }},
		{name: "idaction_url", value: func(c *Conversion) any { return &c.URLAction }, fixed: true},
		{name: "idlink_va", value: func(c *Conversion) any { return &c.Link }, fixed: true},
		{name: "idgoal", value: func(c *Conversion) any { return &c.GoalID }},
		{name: "buster", value: func(c *Conversion) any { return &c.Buster }},
		{name: "idorder", value: func(c *Conversion) any { return &c.OrderID }},
		{name: "items", value: func(c *Conversion) any { return &c.Items }},
		{name: "url", value: func(c *Conversion) any { return &c.URL }, fixed: true},

		{name: "revenue", value: func(c *Conversion) any { return &c.Revenue }},
		{name: "revenue_shipping", owner: ecommerce, value: func(c *Conversion) any { return &c.RevenueShipping }},
		{name: "revenue_subtotal", owner: ecommerce, value: func(c *Conversion) any { return &c.RevenueSubtotal }},
		{name: "revenue_tax", owner: ecommerce, value: func(c *Conversion) any { return &c.RevenueTax }},
		{name: "revenue_discount", owner: ecommerce, value: func(c *Conversion) any { return &c.RevenueDiscount }},
		{name: "pageviews_before", owner: goals, value: func(c *Conversion) any { return &c.PageviewsBefore }},

		{name: "visitor_returning", value: func(c *Conversion) any { return &c.Returning }},
		{name: "visitor_count_visits", value: func(c *Conversion) any { return &c.CountVisits }},
		{name: "visitor_seconds_since_first", value: func(c *Conversion) any { return &c.SecondsSinceFirst }},
		{name: "visitor_seconds_since_order", value: func(c *Conversion) any { return &c.SecondsSinceOrder }},
		{name: "referer_type", owner: referrers, value: func(c *Conversion) any { return &c.Referer.Type }},
		{name: "referer_name", owner: referrers, value: func(c *Conversion) any { return &c.Referer.Name }},
		{name: "referer_keyword", owner: referrers, value: func(c *Conversion) any { return &c.Referer.Keyword }},
	}
	columns = append(columns, campaignColumns(func(c *Conversion) []NullText { return c.Campaign })...)
	columns = append(columns, deviceColumns(func(c *Conversion) *Device { return &c.Device })...)
	columns = append(columns, locationColumns(func(c *Conversion) *Location { return &c.Location })...)
	dimensionsOf := dimensionColumns(dimensions, func(c *Conversion) []NullText { return c.CustomDimensions })
	for i := range dimensionsOf {
		dimensionsOf[i].fixed = true
	}
	columns = append(columns, dimensionsOf...)
	return append(columns, variableColumns(variables, func(c *Conversion) []CustomVar { return c.CustomVars })...)
}

// itemColumns lists the columns of log_conversion_item (spec §8.5.2).
func itemColumns() []column[Item] {
	type c = column[Item]
	columns := []c{
		{name: "idvisit", value: func(i *Item) any { return visitID(i.Visit) }},
		{name: "idsite", value: func(i *Item) any { return &i.SiteID }},
		{name: "idvisitor", value: func(i *Item) any { return &i.Visitor }},
		{name: "server_time", value: func(i *Item) any { return &i.ServerTime }},
		{name: "idorder", value: func(i *Item) any { return &i.OrderID }},
		{name: "idaction_sku", value: func(i *Item) any { return &i.SKU }},
		{name: "idaction_name", value: func(i *Item) any { return &i.Name }},
	}
	columns = append(columns, categoryColumns("idaction_category", nil,
		func(i *Item) *[5]ActionID { return &i.Categories })...)
	columns = append(columns,
		c{name: "price", value: func(i *Item) any { return &i.Price }},
		c{name: "quantity", value: func(i *Item) any { return &i.Quantity }},
		c{name: "deleted", value: func(i *Item) any { return &i.Deleted }},
	)
	return reading(columns...)
}

// entryColumns lists the columns of log_action but its hash, which is computed (spec §6.6).
func entryColumns() []column[ActionEntry] {
	type c = column[ActionEntry]
	return []c{
		{name: "type", value: func(e *ActionEntry) any { return &e.Type }},
		{name: "name", value: func(e *ActionEntry) any { return &e.Name }},
		{name: "url_prefix", value: func(e *ActionEntry) any { return &e.Prefix }},
	}
}

// failureColumns lists the columns of tracking_failure (spec §12.1).
func failureColumns() []column[Failure] {
	type c = column[Failure]
	return []c{
		{name: "idsite", value: func(f *Failure) any { return &f.SiteID }},
		{name: "idfailure", value: func(f *Failure) any { return &f.FailureID }},
		{name: "date_first_occurred", value: func(f *Failure) any { return &f.Occurred }},
		{name: "request_url", value: func(f *Failure) any { return &f.RequestURL }},
	}
}

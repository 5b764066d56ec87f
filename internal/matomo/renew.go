package matomo

import (
	"context"
	"fmt"
	"time"
)

// Renew drops what is cached of sites and of all sites, between two batches: what was changed in Matomo counts from the
// next one on, as for PHP, whose cache Matomo clears. Nothing is read before a batch comes. The index of all sites'
// URLs is kept as long as these seem to be the same: it is the one part that grows with the number of sites.
func (i *Installation) Renew() {
	i.loading.Lock() // not while the cache is being filled with what was read before
	defer i.loading.Unlock()
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.sites)
	i.general = nil
}

// urlsEntry is the index of all sites' URLs with what shows that it is still right.
type urlsEntry struct {
	index   *URLIndex
	digest  urlsDigest
	expires time.Time
}

// urlsDigest is what one cheap query says of the URLs.
type urlsDigest struct {
	Sites   int64 `db:"sites"`
	Last    int64 `db:"last"`
	Length  int64 `db:"length"`
	Aliases int64 `db:"aliases"`
	Longer  int64 `db:"longer"`
}

// siteURLs is the index of all sites' URLs, read again only when it is old or something shows that it is not right any
// more. It is called with i.loading held.
func (i *Installation) siteURLs(ctx context.Context) (*URLIndex, error) {
	if i.urls.index != nil && i.clock().Before(i.urls.expires) {
		digest, err := i.readURLsDigest(ctx)
		if err != nil || digest == i.urls.digest {
			return i.urls.index, err
		}
	}
	index, digest, err := i.allSiteURLs(ctx)
	if err != nil {
		return nil, err
	}
	i.urls = urlsEntry{index, digest, i.clock().Add(i.ttl)}
	return index, nil
}

func (i *Installation) readURLsDigest(ctx context.Context) (digest urlsDigest, err error) {
	query := "SELECT COUNT(*) AS sites, COALESCE(MAX(idsite), 0) AS last, COALESCE(SUM(LENGTH(main_url)), 0) AS length, " +
		"(SELECT COUNT(*) FROM " + i.Table("site_url") + ") AS aliases, " +
		"(SELECT COALESCE(SUM(LENGTH(url)), 0) FROM " + i.Table("site_url") + ") AS longer FROM " + i.Table("site")
	if err := i.db.GetContext(ctx, &digest, query); err != nil {
		return digest, fmt.Errorf("URLs of all sites: %w", err)
	}
	return digest, nil
}

// add counts a URL as the query does.
func (d *urlsDigest) add(site int64, url string, alias bool) {
	if alias {
		d.Aliases++
		d.Longer += int64(len(url))
		return
	}
	d.Sites++
	d.Last = max(d.Last, site)
	d.Length += int64(len(url))
}

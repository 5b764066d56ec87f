package matomo

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

//go:embed defaults.ini
var defaultsText string

// defaultChanges are what later versions have otherwise in config/global.ini.php than 5.1, as far as this program
// reads it.
var defaultChanges = []struct {
	since, section, key string
	add, remove         []string // of a list
	append              string   // to a text
}{
	{since: "5.2.0", section: "Plugins", key: "Plugins", add: []string{"FeatureFlags"}},
	{since: "5.4.0", section: "Tracker", key: "url_query_parameter_to_exclude_from_url", append: ",li_fat_id"},
	{since: "5.6.0", section: "Plugins", key: "Plugins", add: []string{"AIAgents"}},
	{since: "5.7.0", section: "Plugins", key: "Plugins", add: []string{"BotTracking"}},
	{since: "5.8.0", section: "SitesManager", key: "CommonPIIParams", add: strings.Fields(frenchPII)},
	{since: "5.13.0", section: "Tracker", key: "url_query_parameter_to_exclude_from_url", append: ",token_auth,token"},
	{since: "5.13.0", section: "Plugins", key: "Plugins", add: []string{"AIProviders"}},
	{since: "6.0.0", section: "Plugins", key: "Plugins", add: []string{"TrackingSpamPrevention"}, remove: []string{"SEO"}},
}

// frenchPII are URL parameters with personal data in French.
const frenchPII = `
adresse1 adresse2 adresse3 adresse_email adresseemail adressepostale carte cartebancaire carteidentite cb civilite
civilité cle clé codepostal courriel cp datedenaissance dateexpiration datenaissance departement département
entreprise expiration genre identifiant identitenationale mdp mot_de_passe motdepasse nationalite nom nomcomplet
nomdefamille nomfamille nss numero_fiscal numerocarte numerocarteidentite numerocompte numerodecarte numerofiscal
numeroidentite numeromobile numeropasseport numerosecuritesociale numerotelephone numerotva numfiscal numsecu numtva
passeport pays portable prenom prénom questionsecrete region reponsesecrete rib secretclé securitesociale sexe
signature siren siret societe titre tva utilisateur ville voie`

// defaults stands in for config/global.ini.php of a version.
func defaults(version Version) (*php.Array, error) {
	sections, err := parseINI(defaultsText, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, fmt.Errorf("built-in defaults: %w", err)
	}
	for _, change := range defaultChanges {
		if !version.Since(change.since) {
			continue
		}
		section := sections.Value(change.section).Array()
		value := section.Value(change.key)
		if change.append != "" {
			section.Set(change.key, php.String(php.ToString(value)+change.append))
			continue
		}
		names := php.NewArray(value.Array().Len())
		for _, item := range value.Array().All() {
			if !slices.Contains(change.remove, php.ToString(item)) {
				names.Append(item)
			}
		}
		for _, name := range change.add {
			names.Append(php.String(name))
		}
		section.Set(change.key, php.ArrayValue(names))
	}
	return sections, nil
}

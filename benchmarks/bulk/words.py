"""Words that the rows of a bulk load are filled with."""

COMPANIES = ("Hamill-Veum", "Nordlys AS", "Bäckerei Sommer", "Acme Ltd", "Blue Fjord", "Casa Verde", "三河屋")
STREETS = ("Storgata", "Main Street", "Rue des Lilas", "Hauptstraße", "Calle Mayor", "Via Roma")
LABELS = ("vip", "billing", "shipping", "bug", "refund", "sales", "urgent", "feedback", "returns", "partner")
TAGS = ("detox", "mobile", "web", "first-order", "subscription", "gift", "wholesale", "sleep")
TOPICS = ("product", "sleep", "skin+hair", "delivery", "payment", "account")
ISSUES = ("billing", "delivery", "account", "returns", "product")
EMOJI = ("\U0001f44d", "\u2764\ufe0f", "\U0001f602", "\U0001f64f", "\U0001f389")
NOTES = (
    "Called back at noon, nobody answered. Try again tomorrow.",
    "VIP: has been with us since 2014.",
    "Wants everything in writing, no calls please.",
    "Refund approved by the team lead.",
    "Is waiting for the warehouse to answer \u2014 do not close yet.",
    "Speaks German and English.",
    "Third complaint this year. Be generous. \U0001f340",
)

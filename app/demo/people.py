"""Invented names and telephone numbers of the people in the demo."""

FIRST_NAMES = (
    *("Ada", "Bo", "Chloé", "Dmitri", "Elif", "Femi", "Grace", "Hiroshi", "Ingrid", "José", "Kwame", "Lena", "Mei"),
    *("Nadia", "Olav", "Priya", "Quentin", "Rosa", "Søren", "Tariq", "Ursula", "Víctor", "Wanjiru", "Xenia", "Yusuf"),
    *("Zoë", "Anaïs", "Björn", "Carmen", "Đorđe", "Emma", "Fatima", "Gökhan", "Hannah", "Ivan", "Jamal", "Kirsten"),
    *("美咲", "伟", "Ольга", "محمد", "अनिता", "Γιώργος", "Łukasz"),
)
LAST_NAMES = (
    *("Almeida", "Bakker", "Chen", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jensen", "Kowalski"),
    *("Lindqvist", "Murphy", "Nakamura", "Okafor", "Papadopoulos", "Quiroga", "Rossi", "Şahin", "Tanaka", "Usman"),
    *("Virtanen", "Weber", "Xu", "Yılmaz", "Zielińska", "O'Brien", "de Vries", "Nguyễn", "Kapoor", "Mwangi", "佐藤"),
    *("Smith", "Johansen", "Müller", "Novák", "Silva", "Haugen", "Moreau"),
)


def name_of(number: int) -> tuple[str, str]:
    """First and last name of the person with this number; a name comes again only after more than 1,500 others."""
    return FIRST_NAMES[number % len(FIRST_NAMES)], LAST_NAMES[number % len(LAST_NAMES)]


def phone_of(number: int) -> str:
    """A telephone number that no other person of the demo has, in international form."""
    return f"+49152{number:08d}"

"""What customers and users say in the demo, in several languages."""

from typing import NamedTuple


class Line(NamedTuple):
    """One message of a dialogue: the customer's, or the business's."""

    of_customer: bool
    text: str


def _dialogue(*texts: str) -> tuple[Line, ...]:
    """Lines of the customer begin with `<`; those of the business do not. `{order}` becomes the number of an order."""
    return tuple(Line(text.startswith("<"), text.removeprefix("<").replace("{order}", "#10452")) for text in texts)


LONG_TEXT = (
    "I want to describe this properly, because I have explained it three times by now. On Monday I ordered two "
    "lamps, a table and four chairs. The lamps came on Wednesday, one of them with a crack in the glass. The table "
    "came on Thursday without its legs, and the driver said that the legs were in another van. On Friday a van came, "
    "but with somebody else's legs: they are ten centimetres too short and black instead of oak.\n\n"
    "The chairs have not come at all. The tracking page says \u201cdelivered to a neighbour\u201d, and I have asked "
    "every neighbour I have. "
) * 3

ENGLISH: tuple[tuple[Line, ...], ...] = (
    _dialogue(
        "<Hi, where is my order {order}?",
        "Hello! Let me look that up for you.",
        "It left our warehouse yesterday and should be with you tomorrow before noon.",
        "<Great, but I am not at home tomorrow. Can it go to a pick-up point?",
        "Of course. The nearest one is the kiosk at the central station, open until 22:00.",
        "<Perfect, please send it there.",
        "Done. You get a text message as soon as order {order} is ready to be picked up.",
        "<Thank you so much! \U0001f64f",
    ),
    _dialogue(
        "<I was charged twice this month",
        "I am sorry to hear that. Could you tell me the date and the amount of both charges?",
        "<49.90 on the 3rd and 49.90 on the 4th",
        "Thank you. I can see both; the second one was made when the first seemed to fail.",
        "I have refunded the second charge. It takes three to five working days to reach your account.",
        "<ok. will this happen again next month?",
        "No. We removed the old card from your account, so only one is left.",
        "<Thanks, that was quick \U0001f44d",
    ),
    _dialogue(
        "<I can't log in any more. It says my account is locked?!",
        "That happens after five wrong passwords. It opens again by itself after half an hour.",
        "<I don't have half an hour, my presentation starts in ten minutes \U0001f631",
        "I understand. Please confirm the last four digits of the phone number on file, then I can open it now.",
        "<7719",
        "Thank you. It is open again; please set a new password when you have a moment.",
        "<It works!! You saved my day \u2764\ufe0f",
        "Happy to help. Good luck with the presentation!",
    ),
    _dialogue(
        "<hello",
        "<anyone there?",
        "Hello! How can we help you today?",
        "<do you ship to Iceland",
        "Yes, within six working days. Shipping is free from 80 euros on.",
        "<and returns?",
        "You have 30 days. The label for the way back is in the parcel.",
        "<takk!",
    ),
    _dialogue(
        "<The shampoo I got smells completely different from the last one. Did you change the formula?",
        "We did, last month: the new one has no perfume at all. Some customers notice that at once.",
        "<I would have liked to know that before",
        "That is a fair point, and I have passed it on to the team.",
        "Would you like to send it back, or keep it and get a discount on the next one?",
        "<A discount would be nice",
        "You find 20 % in your account; it applies to the next order by itself.",
    ),
    _dialogue(
        "<my dog ate the remote \U0001f436\U0001f602 can I order just the back cover?",
        "Oh no! \U0001f604 Yes, the cover is a spare part: 4.50 plus shipping.",
        "<perfect, one please. black",
        "Ordered, number {order}. Is the dog all right?",
        "<he is proud of himself",
        "<" + LONG_TEXT,
        "Thank you for taking the time to write all this down. I am going through it with a colleague now.",
        "We send the right legs and the chairs tomorrow, and you need not send anything back.",
        "<that would be wonderful",
    ),
)

OTHERS: tuple[tuple[Line, ...], ...] = (
    _dialogue(
        "<Hei! Jeg skulle gjerne endret leveringsadressen på ordre {order}",
        "Hei, så klart. Hva er den nye adressen?",
        "<Storgata 12, 0184 Oslo",
        "Takk! Da er adressen endret, og pakken kommer på torsdag.",
        "<Supert, tusen takk \U0001f60a",
        "Bare hyggelig. Ha en fin dag videre!",
    ),
    _dialogue(
        "<Guten Tag, meine Heizung zeigt den Fehler E37 und das Wasser bleibt kalt.",
        "Guten Tag! E37 heißt meistens, dass der Druck zu niedrig ist. Was zeigt das Manometer?",
        "<0,4 bar",
        "Dann bitte auf 1,5 bar auffüllen und danach die Taste Reset drei Sekunden lang drücken.",
        "<Hab ich gemacht, jetzt läuft sie. Großartig!",
        "Sehr gut. Sinkt der Druck wieder, schicken wir jemanden vorbei.",
    ),
    _dialogue(
        "<Bonjour, est-ce que la taille 38 est encore disponible en bleu ?",
        "Bonjour ! Il nous en reste deux paires. Voulez-vous que j'en mette une de côté ?",
        "<Oui s'il vous plaît, je passerai samedi après-midi",
        "C'est noté. Elle vous attend à la caisse sous le numéro {order}.",
        "<Merci beaucoup, à samedi !",
    ),
    _dialogue(
        "<مرحبا، لم يصلني الطلب {order} حتى الآن",
        "أهلا وسهلا بك. دعني أتحقق من ذلك.",
        "الطلب في الطريق وسيصل غدا قبل الظهر.",
        "<شكرا جزيلا لكم",
        "على الرحب والسعة. هل هناك شيء آخر؟",
        "<لا، هذا كل شيء",
    ),
    _dialogue(
        "<予約を来週の金曜日に変更できますか?",
        "はい、可能です。ご希望の時間を教えてください。",
        "<午後三時ごろでお願いします",
        "かしこまりました。金曜日の十五時に変更いたしました。",
        "<ありがとうございます!",
        "こちらこそ、お待ちしております。",
    ),
    _dialogue(
        "<मेरा भुगतान हो गया है पर टिकट नहीं मिला",
        "नमस्ते! कृपया अपना ऑर्डर नंबर बताइए।",
        "<{order}",
        "धन्यवाद। टिकट आपके ईमेल पर फिर से भेज दिया गया है।",
        "<मिल गया, बहुत धन्यवाद \U0001f64f\U0001f3fd",
    ),
    _dialogue(
        "<Здравствуйте, можно ли вернуть товар без чека?",
        "Здравствуйте! Да, если покупка есть в вашем личном кабинете.",
        "<Есть, заказ {order}",
        "Отлично. Принесите товар в любой магазин в течение 30 дней.",
        "<Спасибо большое!",
    ),
    _dialogue(
        "<Καλησπέρα, το κουπόνι δεν λειτουργεί στο ταμείο",
        "Καλησπέρα σας. Ποιος είναι ο κωδικός του κουπονιού;",
        "<ΑΝΟΙΞΗ20",
        "Έληξε χθες, αλλά σας έβαλα ένα καινούργιο στον λογαριασμό σας.",
        "<Ευχαριστώ πολύ! \U0001f33c",
    ),
)

CHANNEL_FAULTS = (
    "Message failed to send because more than 24 hours have passed since the customer last replied.",
    "Recipient is not a valid WhatsApp user.",
    "Media upload error: the file could not be fetched.",
)

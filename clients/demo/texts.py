"""What agents of the demo write after a call."""

from clients.choices import CallOutcome

CALL_NOTES = {
    CallOutcome.REACHED: [
        "Has traded shares before, new to CFDs. Wants to see the platform first.",
        "Asked about spreads on gold and the DAX.",
        "Works shifts, best reached before noon.",
        "Interested in a demo account, sent the guide.",
        "Compares us with another broker. Cares about withdrawal times.",
        "Wants to talk it over at home first.",
        "Understood the risk warning. Plans to start with a small amount.",
        "Asked who holds client money and under which licence.",
        "",
        "",
    ],
    CallOutcome.CALL_BACK: [
        "In a meeting, asked for a call tomorrow.",
        "Driving, call again in the evening.",
        "On holiday until next week.",
    ],
    CallOutcome.REFUSED: [
        "Filled in the form out of curiosity.",
        "Does not want to trade with leverage.",
        "Already with another broker.",
    ],
    CallOutcome.WRONG_NUMBER: ["The number belongs to someone else."],
    CallOutcome.VOICEMAIL: ["Left a message.", ""],
}
CARE_NOTES = [
    "Happy with the platform. Asked about the weekly outlook.",
    "Talked about margin after the move in gold.",
    "Wants to add a second account in USD.",
    "Asked how long a card withdrawal takes.",
    "Quiet at the moment, waiting for the ECB.",
    "Explained the swap on positions held over the weekend.",
    "",
]
NOTES = [
    "Prefers to write. Answers e-mails within the hour.",
    "Speaks English and German.",
    "Do not call before 10.",
    "Referred by a friend who trades with us.",
    "Asked for the cost sheet, sent.",
    "Interested in gold and oil only.",
    "Sceptical after a bad experience elsewhere. Take it slowly.",
    "Retired engineer, likes details.",
]
AFTER_A_TALK = ["Follow up", "Send the platform guide", "Ask about registration"]

"""Draws sentences from Home Assistant's templates and prints what hassil makes of each, one JSON object a line.

Arguments: the folder of the compiled sentences, a language, how many to draw from each template, a seed.
"""

import json
import random
import sys
from pathlib import Path

from hassil import Intents, recognize_best
from hassil.expression import Alternative, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.intents import RangeSlotList, TextSlotList
from hassil.util import normalize_whitespace

folder, language, draws, seed = sys.argv[1:5]
dice = random.Random(int(seed))
home = json.load(sys.stdin)
intents = Intents.from_dict(json.loads(Path(folder, f"{language}.json").read_text(encoding="utf-8")))
own = {
    "name": TextSlotList.from_tuples((n["name"], n["name"], {"domain": n["domain"]}) for n in home["names"]),
    "area": TextSlotList.from_strings(home["areas"], allow_template=False),
    "floor": TextSlotList.from_strings(home["floors"], allow_template=False),
}
lists = {**intents.slot_lists, **own}


def draw(expression, rules):
    """Returns one of the texts that an expression stands for."""
    if isinstance(expression, TextChunk):
        return expression.original_text
    if isinstance(expression, Alternative):
        return draw(dice.choice(expression.items), rules)
    if isinstance(expression, Permutation):
        return " ".join(draw(item, rules) for item in dice.sample(expression.items, len(expression.items)))
    if isinstance(expression, Group):
        return "".join(draw(item, rules) for item in expression.items)
    if isinstance(expression, RuleReference):
        return draw(rules[expression.rule_name].expression, rules)
    if isinstance(expression, ListReference):
        found = lists.get(expression.list_name)
        if isinstance(found, RangeSlotList):
            return str(dice.randrange(found.start, found.stop + 1, found.step))
        if isinstance(found, TextSlotList):
            return draw(dice.choice(found.values).text_in, rules)
        return dice.choice(home["anything"])
    raise ValueError(f"unknown expression: {expression}")


seen = set()
for name, intent in intents.intents.items():
    for data in intent.data:
        rules = {**intents.expansion_rules, **data.expansion_rules}
        for sentence in data.sentences:
            for _ in range(int(draws)):
                text = normalize_whitespace(draw(sentence.expression, rules)).strip()
                if not text or text in seen:
                    continue
                seen.add(text)
                best = recognize_best(
                    text,
                    intents,
                    slot_lists=own,
                    intent_context={"area": home["here"]},
                    language=language,
                    best_slot_name="name",
                )
                said = {"text": text, "intent": None, "slots": {}}
                if best is not None:
                    slots = {entity.name: entity.value for entity in best.entities_list}
                    said |= {"intent": best.intent.name, "slots": slots}
                print(json.dumps(said, ensure_ascii=False))

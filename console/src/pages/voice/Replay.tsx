// A turn of the trail, and beside it how it would go today: led again by the platform, with nothing coming of it.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { RotateCcw } from "lucide-react";
import { useState } from "react";

import { AWAY, path, Problem, tell } from "../../api/client";
import type { Effect, LateTurn, Replayed } from "../../api/types";
import { useAnnounce } from "../../parts/announce";
import { StateChip, Under } from "../../parts/bits";
import { ProblemNotice } from "../../parts/states";
import { useText } from "../../text";
import { Answer } from "./Turn";

/** What a turn was answered, with a button that has it led again. */
export function Replayable({ turn }: { turn: LateTurn }) {
  const { t } = useText();
  const { say: announce } = useAnnounce();
  const [again, setAgain] = useState<Replayed>();
  const [problem, setProblem] = useState<Problem>();
  const [doing, setDoing] = useState(false);
  const words = turn.said || t.spokenWords;
  const replay = async () => {
    // The button stays as it is meanwhile: one that is switched off would give the focus away.
    if (doing) return;
    setDoing(true);
    setProblem(undefined);
    try {
      const told = await tell<Replayed>(path`/api/operator/voice/turns/${turn.id}/replay`);
      setAgain(told);
      announce(`${told.differences.length === 0 ? t.replayedSame : t.replayedOtherwise(told.differences)} ${told.answer.text}`);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(AWAY, "unavailable", "console.away", String(error)));
    } finally {
      setDoing(false);
    }
  };
  return (
    <>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: again ? { xs: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" } : "minmax(0, 1fr)" }}>
        <div>
          {again && <Under>{t.asItWas}</Under>}
          <Answer answer={turn.answer} />
          {again?.kept.effects && <Effects title={t.effectsThen} none={t.noEffectsThen} effects={again.kept.effects} />}
        </div>
        {again && <Again again={again} words={words} />}
      </Box>
      {problem && <ProblemNotice problem={problem} />}
      <Button
        size="small"
        aria-busy={doing}
        aria-label={`${t.replayTurn}: ${words}`}
        onClick={() => void replay()}
        startIcon={<RotateCcw size={14} aria-hidden />}
        sx={{ mt: 0.5, ml: -0.75 }}
      >
        {t.replayTurn}
      </Button>
    </>
  );
}

function Again({ again, words }: { again: Replayed; words: string }) {
  const { t } = useText();
  const { answer, differences, effects, meanings } = again;
  const isSame = differences.length === 0;
  return (
    <Box role="group" aria-label={t.replayOf(words)} data-replay={again.kept.id}>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1, mb: 0.25 }}>
        <Under>{t.asItIsToday}</Under>
        <StateChip tone={isSame ? "good" : "warning"}>{isSame ? t.replayedSame : t.replayedOtherwise(differences)}</StateChip>
      </Box>
      <Answer answer={answer} />
      {meanings.length > 1 && <Under>{t.allMeant(meanings.map(({ intent }) => intent))}</Under>}
      <Effects title={t.effectsToday} none={t.noEffectsToday} effects={effects} />
      {again.context === "unknown" && <Under>{t.replayedWithoutContext}</Under>}
      <Under>{t.nothingHappened}</Under>
    </Box>
  );
}

function Effects({ title, none, effects }: { title: string; none: string; effects: Effect[] }) {
  const { t, dateTime } = useText();
  const told = (effect: Effect) => {
    if (effect.effect === "schedule") return [t.scheduled[effect.kind], effect.label, dateTime(effect.at)].filter(Boolean).join(" · ");
    if (effect.effect === "cancel") return t.cancels(effect.schedules.length);
    if (effect.effect === "announce") return [t.announces, effect.area, effect.text].filter(Boolean).join(" · ");
    return [t.controls[effect.action], effect.thing, effect.level, effect.color].filter((part) => part !== null && part !== undefined).join(" · ");
  };
  return <Under>{effects.length === 0 ? none : `${title}: ${effects.map(told).join(", ")}`}</Under>;
}

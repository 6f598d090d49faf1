// One exchange: what was said, what came back, what was understood, and milliseconds per stage.
import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";

import { StateChip, Under, type Tone } from "../../parts/bits";
import { ProblemNotice } from "../../parts/states";
import { useText } from "../../text";
import type { DialogAnswer, Slot } from "../../api/types";
import type { Exchange } from "../Voice";
import type { Unasked } from "./listen";

const TONE: Record<DialogAnswer["outcome"], Tone> = {
  answered: "good",
  asked: "info",
  not_understood: "warning",
  failed: "bad",
  blocked: "bad",
  user_not_found: "bad",
};

export function Turn({ exchange: { said, answer, problem, unasked } }: { exchange: Exchange }) {
  const { t } = useText();
  if (unasked) return <ByItself unasked={unasked} />;
  return (
    <Box sx={{ mb: 2.5 }}>
      <Box sx={{ display: "flex", justifyContent: "flex-end", mb: 1 }}>
        <Typography sx={{ bgcolor: "primary.main", color: "primary.contrastText", borderRadius: "12px", px: 1.75, py: 0.75, maxWidth: "80%" }}>
          {said ?? answer?.heard ?? t.spokenWords}
        </Typography>
      </Box>
      {problem && <ProblemNotice problem={problem} />}
      {!answer && !problem && <Skeleton variant="rounded" width={240} height={40} />}
      {answer && <Answer answer={answer} />}
    </Box>
  );
}

/** What the platform says by itself, such as that a timer rings. */
function ByItself({ unasked: { text, language, intent } }: { unasked: Unasked }) {
  return (
    <Box sx={{ maxWidth: 640, mb: 2.5 }}>
      <Typography lang={language} sx={{ bgcolor: "action.hover", borderRadius: "12px", px: 1.75, py: 0.75, width: "fit-content" }}>
        {text}
      </Typography>
      <Under>{intent}</Under>
    </Box>
  );
}

/** What came back, what was understood, and how long each stage took. */
export function Answer({ answer }: { answer: DialogAnswer }) {
  const { t, percent, decimal, span, dateTime } = useText();
  const worth = (slot: Slot) => {
    if (slot.kind === "text") return slot.text;
    if (slot.kind === "number") return decimal(slot.number);
    if (slot.kind === "duration") return span(slot.seconds);
    return slot.kind === "moment" ? dateTime(slot.at) : slot.date;
  };
  const slots = Object.entries(answer.slots);
  return (
    <Box sx={{ maxWidth: 640 }}>
      {answer.firstHeard && answer.heard && <Under>{t.takenAs(answer.firstHeard, answer.heard)}</Under>}
      <Typography lang={answer.language} sx={{ bgcolor: "action.hover", borderRadius: "12px", px: 1.75, py: 0.75, width: "fit-content" }}>
        {answer.text}
      </Typography>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1, mt: 0.75 }}>
        <StateChip tone={TONE[answer.outcome]}>{t.outcomes[answer.outcome]}</StateChip>
        <Under>{`${answer.intent} · ${percent(answer.confidence)}`}</Under>
        {slots.map(([name, slot]) => (
          <Under key={name}>{`${name}: ${worth(slot)}`}</Under>
        ))}
      </Box>
      <Stages stages={answer.stages} />
    </Box>
  );
}

/** A bar as long as the whole turn, a piece per stage. */
function Stages({ stages }: { stages: DialogAnswer["stages"] }) {
  const { t, decimal } = useText();
  const whole = stages.reduce((sum, { ms }) => sum + ms, 0) || 1;
  const said = stages.map(({ stage, ms }) => `${t.stageNames[stage] ?? stage} ${decimal(ms)} ms`).join(", ");
  return (
    <Box sx={{ mt: 0.75 }}>
      <Box role="img" aria-label={said} sx={{ display: "flex", gap: "2px", height: 6, maxWidth: 360 }}>
        {stages.map(({ stage, ms }, place) => (
          <Box
            key={stage}
            sx={{ flexGrow: ms / whole, flexBasis: 3, borderRadius: "3px", bgcolor: "primary.main", opacity: 1 - 0.18 * (place % 5) }}
          />
        ))}
      </Box>
      <Under>{said}</Under>
    </Box>
  );
}

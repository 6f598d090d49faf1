// What visitors do, told so that nobody is told of. Each answer may cost of a budget, so it is asked for by a person.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useState } from "react";

import { ask, path, type Problem } from "../../api/client";
import type { Behaviour, BehaviourPattern } from "../../api/types";
import { Under } from "../../parts/bits";
import { GroupChart } from "../../parts/chart";
import { Panel } from "../../parts/Page";
import { ProblemNotice, Quiet } from "../../parts/states";
import { useText } from "../../text";

const HEIGHT = 210;

/** The platform's word for a budget that does not hold one more answer. */
const USED_UP = "analytics.privacy.used_up";

export function BehaviourPanel({ eventId }: { eventId: string }) {
  const { t } = useText();
  const [told, setTold] = useState<Behaviour>();
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const look = async () => {
    setAsking(true);
    setProblem(undefined);
    try {
      setTold(await ask<Behaviour>(path`/api/insights/${eventId}/behaviour`));
    } catch (error) {
      setProblem(error as Problem);
    }
    setAsking(false);
  };
  return (
    <Panel
      title={t.behaviour}
      sentence={t.behaviourSentence}
      padded
      actions={
        <Button variant="outlined" size="small" loading={isAsking} onClick={() => void look()}>
          {told ? t.askAgain : t.askBehaviour}
        </Button>
      }
    >
      <Box aria-live="polite">
        {problem ? <Refused problem={problem} onAgain={() => void look()} /> : told ? <Told told={told} /> : <Quiet>{t.behaviourCosts}</Quiet>}
      </Box>
    </Panel>
  );
}

function Refused({ problem, onAgain }: { problem: Problem; onAgain: () => void }) {
  const { t } = useText();
  if (problem.reason === USED_UP) return <Quiet>{t.behaviourUsedUp}</Quiet>;
  if (problem.status === 404 || problem.status === 501) return <Quiet>{t.behaviourUnknown}</Quiet>;
  return <ProblemNotice problem={problem} onAgain={onAgain} />;
}

function Told({ told }: { told: Behaviour }) {
  const { t, number, decimal, date, dateTime } = useText();
  const { k, l, epsilon, budget } = told;
  const hour = (label: string) => t.behaviourHour(label);
  const notes = [
    t.behaviourUntil(dateTime(told.until)),
    told.people === undefined ? t.behaviourFew(k) : t.behaviourPeople(number(told.people)),
    t.behaviourRules(k, l, decimal(epsilon)),
    t.behaviourBudget(decimal(budget.left), decimal(budget.limit), date(budget.refillsAt)),
    told.remembered && t.behaviourRemembered,
  ].filter(Boolean);
  return (
    <>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "repeat(2, minmax(0, 1fr))" } }}>
        <Pattern title={t.entryPattern} pattern={told.entryPattern} k={k} name={hour} />
        <Pattern title={t.stayPattern} pattern={told.stay} k={k} name={t.behaviourStay} />
        <Pattern title={t.engagementPattern} pattern={told.engagement} k={k} name={t.behaviourRooms} />
        <Pattern title={t.dropOffPattern} pattern={told.dropOff} k={k} name={hour} />
      </Box>
      <Under>{notes.join(" · ")}</Under>
    </>
  );
}

function Pattern({ title, pattern, k, name }: { title: string; pattern: BehaviourPattern; k: number; name: (label: string) => string }) {
  const { t } = useText();
  const shown = pattern.cells.filter((cell) => cell.people !== undefined);
  return (
    <Box>
      <Typography variant="h3" sx={{ fontSize: "0.95rem", fontWeight: 600, mb: 0.5 }}>
        {title}
      </Typography>
      {shown.length === 0 ? (
        <Quiet>{t.behaviourNothing(k)}</Quiet>
      ) : (
        <GroupChart
          label={title}
          height={HEIGHT}
          isSideways
          name={t.peopleThrough}
          groups={shown.map((cell) => name(cell.label))}
          values={shown.map((cell) => cell.people ?? 0)}
        />
      )}
      {shown.length > 0 && pattern.hidden > 0 && <Under>{t.behaviourHidden(pattern.hidden, k)}</Under>}
    </Box>
  );
}

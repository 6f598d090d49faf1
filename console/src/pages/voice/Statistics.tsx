// How conversations went: turns by day, each bar in pieces by what became of them; then what was meant, and who spoke.
import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import { useState } from "react";

import type { DialogAnswer, VoiceStatistics } from "../../api/types";
import { OneOf } from "../../parts/bits";
import { BELOW, StackChart } from "../../parts/chart";
import { Panel } from "../../parts/Page";
import { Loaded, Quiet, useReading } from "../../parts/states";
import { useText } from "../../text";
import { Shares, SHARES } from "./Shares";

const HEIGHT = 270;
const CHART = HEIGHT + BELOW;
/** The height of all of it, so that nothing below moves when it is there. */
const WHOLE = { xs: CHART + SHARES.xs, md: CHART + SHARES.md };
const DAYS = { "7d": 7, "30d": 30 };
type Range = keyof typeof DAYS;
const DAY = 86_400_000;

/** From the bottom of a bar to its top: what went well first. A piece keeps its colour, whatever else there is. */
const OUTCOMES: DialogAnswer["outcome"][] = ["answered", "asked", "not_understood", "failed", "blocked", "user_not_found"];

export function Statistics() {
  const { t } = useText();
  const [range, setRange] = useState<Range>("7d");
  const reading = useReading<VoiceStatistics>(`/api/operator/voice/statistics?days=${DAYS[range]}`, 15);
  return (
    <Panel
      title={t.statistics}
      sentence={t.statisticsSentence}
      padded
      actions={
        <OneOf
          label={t.range}
          value={range}
          onChoose={setRange}
          choices={[
            { value: "7d", name: t.range7d },
            { value: "30d", name: t.range30d },
          ]}
        />
      }
    >
      <Box sx={{ minHeight: WHOLE }}>
        <Loaded reading={reading} skeleton={<Skeleton variant="rounded" sx={{ height: WHOLE }} />}>
          {(found) => <Found found={found} count={DAYS[range]} />}
        </Loaded>
      </Box>
    </Panel>
  );
}

function Found({ found: { today, tallies, people }, count }: { found: VoiceStatistics; count: number }) {
  const days = daysUntil(today, count);
  const turns = tallies.filter((tally) => days.includes(tally.day));
  return (
    <>
      <Days days={days} turns={turns} />
      {(turns.length > 0 || people.length > 0) && <Shares tallies={turns} people={people} />}
    </>
  );
}

function Days({ days, turns }: { days: string[]; turns: VoiceStatistics["tallies"] }) {
  const { t, number, date, day } = useText();
  const count = days.length;
  if (turns.length === 0) return <Quiet height={CHART}>{t.noTurns}</Quiet>;
  const values = (outcome: string) =>
    days.map((one) => turns.reduce((sum, tally) => sum + (tally.day === one && tally.outcome === outcome ? tally.turns : 0), 0));
  const there = OUTCOMES.map((outcome, colour) => ({ name: t.outcomes[outcome], values: values(outcome), colour }));
  const whole = turns.reduce((sum, tally) => sum + tally.turns, 0);
  return (
    <StackChart
      label={t.turnsChart(number(whole), count)}
      height={HEIGHT}
      heading={t.day}
      // In one line of the table.
      groups={days.map((one) => date(`${one}T12:00`).replaceAll(" ", "\u00a0"))}
      ticks={days.map((one) => day(`${one}T12:00`))}
      series={there.filter((one) => one.values.some((turns) => turns > 0))}
    />
  );
}

/** The last days up to `today`, days without a turn among them. They are the platform's, whose zone may be another one. */
function daysUntil(today: string, count: number): string[] {
  const last = Date.parse(today);
  return Array.from({ length: count }, (_, i) => new Date(last - (count - 1 - i) * DAY).toISOString().slice(0, 10));
}

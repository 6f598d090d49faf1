// Attendance over time: what was recorded, and what the stream brings since, without a reload.
import Skeleton from "@mui/material/Skeleton";
import { useMemo, useState } from "react";

import { path } from "../../api/client";
import { useLive, type Moment } from "../../api/live";
import type { History, HistoryRow } from "../../api/types";
import { OneOf } from "../../parts/bits";
import { BELOW, TimeChart } from "../../parts/chart";
import { Panel } from "../../parts/Page";
import { Loaded, Quiet, useReading } from "../../parts/states";
import { useText } from "../../text";

const HEIGHT = 300;

/** Seconds that a range holds and that one of its points stands for. */
const RANGES = {
  "15m": { seconds: 900, step: 5 },
  "1h": { seconds: 3_600, step: 15 },
  "24h": { seconds: 86_400, step: 300 },
  "7d": { seconds: 604_800, step: 3_600 },
};
type Range = keyof typeof RANGES;

interface Point {
  at: number;
  inside: number;
  came: number;
}

export function Attendance({ eventId, name }: { eventId: string; name: string }) {
  const { t } = useText();
  const [range, setRange] = useState<Range>("15m");
  return (
    <Panel
      title={t.attendanceOverTime}
      padded
      actions={
        <OneOf
          label={t.range}
          value={range}
          onChoose={setRange}
          choices={[
            { value: "15m", name: t.range15m },
            { value: "1h", name: t.range1h },
            { value: "24h", name: t.range24h },
            { value: "7d", name: t.range7d },
          ]}
        />
      }
    >
      <Lines key={range} eventId={eventId} name={name} range={range} />
    </Panel>
  );
}

function Lines({ eventId, name, range }: { eventId: string; name: string; range: Range }) {
  const { t } = useText();
  const { moments } = useLive();
  const { seconds, step } = RANGES[range];
  // The beginning is fixed when the range is chosen; the stream then adds to the end.
  const [openedAt] = useState(() => Date.now());
  const from = new Date(openedAt - seconds * 1_000).toISOString();
  const history = useReading<History>(path`/api/events/${eventId}/history` + `?from=${from}&stepSeconds=${step}`, 0);
  const points = useMemo(
    () => join(history.data?.rows ?? [], moments.get(eventId) ?? [], step).filter((point) => point.at > Date.now() - seconds * 1_000),
    [history.data, moments, eventId, step, seconds],
  );
  return (
    <Loaded reading={history} skeleton={<Skeleton variant="rounded" height={HEIGHT + BELOW} />}>
      {() =>
        points.length < 2 ? (
          <Quiet height={HEIGHT + BELOW}>{t.noHistory}</Quiet>
        ) : (
          <TimeChart
            label={t.attendanceChart(name)}
            height={HEIGHT}
            times={points.map((point) => new Date(point.at))}
            series={[
              { name: t.insideNow, values: points.map((point) => point.inside), isArea: true },
              { name: t.came, values: points.map((point) => point.came), isDashed: true },
            ]}
          />
        )
      }
    </Loaded>
  );
}

/** What was recorded up to the stream's beginning, then the stream's own figures, one for each step. */
function join(rows: HistoryRow[], moments: Moment[], step: number): Point[] {
  const since = moments[0]?.at ?? Infinity;
  const points: Point[] = rows
    .map((row) => ({ at: new Date(row.at).getTime(), inside: row.currentAttendees, came: row.checkedIn }))
    .filter((point) => point.at < since);
  let slot = -1;
  moments.forEach(({ at, inside, came }) => {
    const own = Math.floor(at / (step * 1_000));
    // The newest figure of a step stands for it, so that the line's end is what is now.
    if (own === slot) points.pop();
    points.push({ at, inside, came });
    slot = own;
  });
  return points;
}

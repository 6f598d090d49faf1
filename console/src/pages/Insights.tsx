// What attendance looked like over all events, by type, hour and weekday, and what to do about it.
import Skeleton from "@mui/material/Skeleton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { ChartColumn } from "lucide-react";
import { useState } from "react";

import type { AttendanceGroup, AttendanceReport, CrossInsights, Roi } from "../api/types";
import { OneOf, Scrolling, Under } from "../parts/bits";
import { GroupChart } from "../parts/chart";
import { Beside, Page, Panel, Stacked } from "../parts/Page";
import { Empty, Loaded, Quiet, useReading } from "../parts/states";
import { useText } from "../text";
import { Drawn } from "./event/Forecast";
import { Recommendations } from "./insights/Recommendations";

const DAYS = { "30d": 30, "90d": 90, "1y": 365 };
type Range = keyof typeof DAYS;
const CHART = 260;

export default function Insights() {
  const { t } = useText();
  const [range, setRange] = useState<Range>("90d");
  // To the hour, so that the same question is asked again and not a new one each time.
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const from = new Date(hour - DAYS[range] * 86_400_000).toISOString();
  const reading = useReading<CrossInsights>(`/api/insights?from=${from}`, 60);
  const skeleton = (
    <Stacked>
      <Skeleton variant="rounded" height={180} />
      <Skeleton variant="rounded" height={340} />
    </Stacked>
  );
  return (
    <Page
      title={t.insights}
      sentence={t.insightsSentence}
      actions={
        <OneOf
          label={t.range}
          value={range}
          onChoose={setRange}
          choices={[
            { value: "30d", name: t.range30d },
            { value: "90d", name: t.range90d },
            { value: "1y", name: t.range1y },
          ]}
        />
      }
    >
      <Loaded reading={reading} skeleton={skeleton}>
        {(found) => <Found found={found} />}
      </Loaded>
    </Page>
  );
}

function Found({ found }: { found: CrossInsights }) {
  const { t } = useText();
  const { attendancePatterns: patterns, predictions } = found;
  if (patterns.byEventType.length === 0) {
    return (
      <Panel>
        <Empty icon={ChartColumn} title={t.insights} sentence={t.noPatterns} />
      </Panel>
    );
  }
  return (
    <Stacked>
      <Panel title={t.recommendations}>
        <Recommendations list={found.recommendations} />
      </Panel>
      <Patterns patterns={patterns} />
      <Beside>
        <Trends patterns={patterns} />
        <BestTimes groups={predictions.optimalTiming} />
      </Beside>
      {predictions.attendanceForecast.map((forecast) => (
        <Panel key={`${forecast.eventId}-${forecast.gateId ?? ""}`} title={`${t.forecast} · ${forecast.eventId}`} padded>
          <Drawn forecast={forecast} name={forecast.eventId} />
        </Panel>
      ))}
      <Money roi={found.roiAnalysis} />
    </Stacked>
  );
}

function Patterns({ patterns }: { patterns: AttendanceReport }) {
  const { t } = useText();
  const value = (group: AttendanceGroup | undefined) => group?.averageArrivals ?? 0;
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const at = (hour: number) => patterns.byTimeOfDay.find((group) => group.hourOfDay === hour);
  const on = (day: number) => patterns.byDayOfWeek.find((group) => group.dayOfWeek === day);
  return (
    <>
      <Panel title={t.byTime} sentence={t.arrivalsPerDay} padded>
        <GroupChart
          label={t.byTimeChart}
          height={CHART}
          name={t.arrivalsPerDay}
          groups={hours.map((hour) => t.hourOfDay(hour))}
          values={hours.map((hour) => value(at(hour)))}
        />
      </Panel>
      <Beside>
        <Panel title={t.byType} sentence={t.arrivalsPerDay} padded>
          <GroupChart
            label={t.byTypeChart}
            height={CHART}
            isSideways
            name={t.arrivalsPerDay}
            groups={patterns.byEventType.map((group) => typeName(group.eventType, t.untyped))}
            values={patterns.byEventType.map(value)}
          />
        </Panel>
        <Panel title={t.byWeekday} sentence={t.arrivalsPerDay} padded>
          <GroupChart
            label={t.byWeekdayChart}
            height={CHART}
            isSideways
            name={t.arrivalsPerDay}
            groups={t.weekdays}
            values={t.weekdays.map((_, i) => value(on(i + 1)))}
          />
        </Panel>
      </Beside>
    </>
  );
}

function typeName(type: string | undefined, untyped: string): string {
  return !type || type === "untyped" ? untyped : type;
}

function Trends({ patterns }: { patterns: AttendanceReport }) {
  const { t, decimal, percent } = useText();
  return (
    <Panel title={t.trends} sentence={t.trendsSentence}>
      {patterns.trends.every((trend) => trend.change === undefined) ? (
        <Quiet>{t.noTrends}</Quiet>
      ) : (
        <Scrolling label={t.trends}>
          <Table size="small">
            <TableHead>
              <TableRow>
                <TableCell>{t.type}</TableCell>
                <TableCell align="right">{t.earlier}</TableCell>
                <TableCell align="right">{t.later}</TableCell>
                <TableCell align="right">{t.change}</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {patterns.trends.map((trend) => (
                <TableRow key={trend.eventType}>
                  <TableCell component="th" scope="row">
                    {typeName(trend.eventType, t.untyped)}
                  </TableCell>
                  <TableCell align="right">
                    {decimal(trend.earlierAverage)}
                    <Under>{t.days(trend.earlierDays)}</Under>
                  </TableCell>
                  <TableCell align="right">
                    {decimal(trend.laterAverage)}
                    <Under>{t.days(trend.laterDays)}</Under>
                  </TableCell>
                  <TableCell align="right">{trend.change === undefined ? "–" : `${trend.change > 0 ? "+" : ""}${percent(trend.change)}`}</TableCell>
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </Scrolling>
      )}
    </Panel>
  );
}

function BestTimes({ groups }: { groups: AttendanceGroup[] }) {
  const { t, decimal } = useText();
  return (
    <Panel title={t.bestTimes} sentence={t.arrivalsPerDay}>
      {groups.length === 0 ? (
        <Quiet>{t.noPatterns}</Quiet>
      ) : (
        <Table size="small">
          <TableBody>
            {groups.map((group) => (
              <TableRow key={`${group.dayOfWeek}-${group.hourOfDay}-${group.eventType}`}>
                <TableCell component="th" scope="row">
                  {t.weekdays[(group.dayOfWeek ?? 1) - 1]} {t.hourOfDay(group.hourOfDay ?? 0)}
                  <Under>{typeName(group.eventType, t.untyped)}</Under>
                </TableCell>
                <TableCell align="right">{decimal(group.averageArrivals)}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </Panel>
  );
}

/** Writes a sum of the smallest unit in its currency. */
function amount(minor: number, currency: string, language: string): string {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

function Money({ roi }: { roi: Roi }) {
  const { t, percent, language } = useText();
  return (
    <Panel title={t.money} sentence={roi.events.length > 0 ? roi.formula : undefined}>
      {roi.events.length === 0 ? (
        <Quiet>{t.noMoney}</Quiet>
      ) : (
        <Scrolling label={t.money}>
          <Table size="small">
            <TableHead>
              <TableRow>
                <TableCell>{t.event}</TableCell>
                <TableCell align="right">{t.revenue}</TableCell>
                <TableCell align="right">{t.cost}</TableCell>
                <TableCell align="right">{t.net}</TableCell>
                <TableCell align="right">{t.roi}</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {[...roi.events, ...roi.totals.map((total) => ({ ...total, eventId: `${t.all} (${total.currency})` }))].map((row) => (
                <TableRow key={`${row.eventId}-${row.currency}`}>
                  <TableCell component="th" scope="row">
                    {row.eventId}
                  </TableCell>
                  <TableCell align="right">{amount(row.revenueMinor, row.currency, language)}</TableCell>
                  <TableCell align="right">{amount(row.costMinor, row.currency, language)}</TableCell>
                  <TableCell align="right">{amount(row.netMinor, row.currency, language)}</TableCell>
                  <TableCell align="right">{row.roi === undefined ? "–" : percent(row.roi)}</TableCell>
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </Scrolling>
      )}
    </Panel>
  );
}

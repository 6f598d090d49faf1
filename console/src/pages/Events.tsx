// Every event of every connected system, moving.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import InputAdornment from "@mui/material/InputAdornment";
import MuiLink from "@mui/material/Link";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TextField from "@mui/material/TextField";
import { CalendarDays, Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";

import { path } from "../api/client";
import { useLive, type Moment } from "../api/live";
import type { Dashboard, LiveEvent, Source } from "../api/types";
import { useAnnounce } from "../parts/announce";
import { AlertLine, OneOf, Scrolling, Share, Sparkline, StateChip, Under } from "../parts/bits";
import { Figures, Page, Panel } from "../parts/Page";
import { Empty, Lines, ProblemNotice, Quiet, useReading } from "../parts/states";
import { useText } from "../text";
import { Charts } from "./events/Charts";

/** Points of a row's line. */
const POINTS = 60;
/** Sums are said aloud this seldom, milliseconds. */
const SAY_EVERY = 30_000;

type Filter = "all" | "stale" | "alerts";

export default function Events() {
  const { t, number, percent } = useText();
  const { events, moments, problem, heardAt } = useLive();
  const [filter, setFilter] = useState<Filter>("all");
  const [words, setWords] = useState("");
  // What happened before the page was opened.
  const past = useReading<Dashboard>("/api/dashboard?timeRange=15m", 0);
  const isAnyStale = events?.some((event) => event.freshness === "stale") ?? false;
  const sources = useReading<{ sources: Source[] }>(isAnyStale ? "/api/operator/sources" : null, 30);
  useSpoken(events);

  const shown = useMemo(() => (events ?? []).filter((event) => fits(event, filter, words)), [events, filter, words]);
  const sum = (pick: (event: LiveEvent) => number) => (events ?? []).reduce((total, event) => total + pick(event), 0);
  const registered = sum((event) => event.metrics.totalRegistered);
  const came = sum((event) => event.metrics.checkedIn);
  const stale = (events ?? []).filter((event) => event.freshness === "stale").length;
  const known = events !== undefined;
  return (
    <Page title={t.events} sentence={t.eventsSentence}>
      <Figures
        figures={[
          { name: t.eventCount, value: known ? number(events.length) : "–" },
          { name: t.insideNow, value: known ? number(sum((event) => event.metrics.currentAttendees)) : "–" },
          { name: t.came, value: known ? number(came) : "–", more: known ? t.outOf(number(registered)) : "" },
          { name: t.attendance, value: known && registered > 0 ? percent(came / registered) : "–" },
          { name: t.stale, value: known ? number(stale) : "–" },
        ]}
      />
      {!(problem && !known) && events?.length !== 0 && <Charts events={events} now={heardAt ?? Date.now()} />}
      <Panel>
        <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1.5, p: 2, alignItems: "center" }}>
          <TextField
            size="small"
            type="search"
            label={t.search}
            value={words}
            onChange={(event) => setWords(event.target.value)}
            slotProps={{
              input: {
                startAdornment: (
                  <InputAdornment position="start">
                    <Search size={16} aria-hidden />
                  </InputAdornment>
                ),
              },
            }}
            sx={{ width: { xs: "100%", sm: 280 } }}
          />
          <OneOf
            label={t.state}
            value={filter}
            onChoose={setFilter}
            choices={[
              { value: "all", name: t.filterAll },
              { value: "stale", name: t.filterStale },
              { value: "alerts", name: t.filterAlerts },
            ]}
          />
        </Box>
        {problem && !known ? (
          <Box sx={{ p: 2 }}>
            <ProblemNotice problem={problem} />
          </Box>
        ) : !known ? (
          <Lines rows={6} height={64} />
        ) : events.length === 0 ? (
          <Empty
            icon={CalendarDays}
            title={t.noEvents}
            sentence={t.noEventsSentence}
            action={
              <Button component={Link} href="/sources" variant="contained">
                {t.addSource}
              </Button>
            }
          />
        ) : shown.length === 0 ? (
          <Quiet height={200}>{t.noMatch}</Quiet>
        ) : (
          <Scrolling label={t.events}>
            <Table sx={{ minWidth: 900 }}>
              <TableHead>
                <TableRow>
                  <TableCell>{t.event}</TableCell>
                  <TableCell>{t.state}</TableCell>
                  <TableCell align="right">{t.insideNow}</TableCell>
                  <TableCell align="right">{t.came}</TableCell>
                  <TableCell>{t.attendance}</TableCell>
                  <TableCell>{t.trend}</TableCell>
                  <TableCell>{t.gates}</TableCell>
                </TableRow>
              </TableHead>
              <TableBody>
                {shown.map((event) => (
                  <Row
                    key={event.eventId}
                    event={event}
                    line={lineOf(event, moments.get(event.eventId), past.data)}
                    source={sources.data?.sources.find((source) => source.eventId === event.eventId)}
                  />
                ))}
              </TableBody>
            </Table>
          </Scrolling>
        )}
      </Panel>
    </Page>
  );
}

function fits(event: LiveEvent, filter: Filter, words: string): boolean {
  const text = `${event.eventName} ${event.eventId}`.toLowerCase();
  if (!text.includes(words.trim().toLowerCase())) return false;
  if (filter === "stale") return event.freshness === "stale";
  return filter === "all" || event.alerts.some((alert) => alert.severity !== "info");
}

/** What was recorded before, then what the stream brought since. */
function lineOf(event: LiveEvent, moments: Moment[] | undefined, past: Dashboard | undefined): number[] {
  const rows = past?.charts.attendanceTrend.find((line) => line.eventId === event.eventId)?.rows ?? [];
  const since = moments?.[0]?.at ?? Infinity;
  const before = rows.filter((row) => new Date(row.at).getTime() < since).map((row) => row.currentAttendees);
  return [...before, ...(moments ?? []).map((moment) => moment.inside)].slice(-POINTS);
}

/** Says sums now and then, and at once when an event goes stale or comes back. */
function useSpoken(events: LiveEvent[] | undefined) {
  const { t, number } = useText();
  const { say } = useAnnounce();
  const saidAt = useRef(0);
  const stale = useRef<Set<string> | null>(null);
  useEffect(() => {
    if (!events) return;
    const now = new Set(events.filter((event) => event.freshness === "stale").map((event) => event.eventId));
    const name = (id: string) => events.find((event) => event.eventId === id)?.eventName || id;
    for (const id of now) if (stale.current && !stale.current.has(id)) say(t.announceStale(name(id)));
    for (const id of stale.current ?? []) if (!now.has(id)) say(t.announceFresh(name(id)));
    stale.current = now;
    if (Date.now() - saidAt.current < SAY_EVERY) return;
    saidAt.current = Date.now();
    const inside = events.reduce((total, event) => total + event.metrics.currentAttendees, 0);
    say(t.announceTotals(number(inside), events.length));
  }, [events, say, t, number]);
}

function Row({ event, line, source }: { event: LiveEvent; line: number[]; source?: Source }) {
  const { t, number, span, decimal, words } = useText();
  const { metrics } = event;
  const isStale = event.freshness === "stale";
  const open = metrics.gateActivity.filter((gate) => gate.status === "open").length;
  const flow = metrics.gateActivity.reduce((total, gate) => total + gate.throughput, 0);
  const tone = event.status === "active" ? "good" : event.status === "upcoming" ? "info" : "quiet";
  const hasMore = isStale || event.alerts.length > 0;
  const row = (
    <TableRow data-event={event.eventId} sx={{ "& td, & th": { verticalAlign: "top", py: 1.5, ...(hasMore && { borderBottom: 0 }) } }}>
      <TableCell component="th" scope="row" sx={{ maxWidth: 320 }}>
        <MuiLink component={Link} href={path`/events/${event.eventId}`} underline="hover" sx={{ fontWeight: 650, fontSize: "0.95rem" }}>
          {event.eventName || event.eventId}
        </MuiLink>
        <Under>{event.eventId}</Under>
      </TableCell>
      <TableCell sx={{ minWidth: 150, maxWidth: 240 }}>
        <Box sx={{ display: "flex", gap: 0.75, flexWrap: "wrap" }}>
          <StateChip tone={tone}>{t.status[event.status]}</StateChip>
          {isStale && <StateChip tone="warning">{t.stale}</StateChip>}
        </Box>
        <Under tone={isStale ? "warning.main" : undefined}>
          {isStale ? t.staleSince(span(event.ageSeconds)) : t.readAgo(span(event.ageSeconds))}
        </Under>
      </TableCell>
      <TableCell align="right" data-figure="inside" sx={{ fontSize: "1.05rem", fontWeight: 650, minWidth: 96 }}>
        {number(metrics.currentAttendees)}
      </TableCell>
      <TableCell align="right" sx={{ minWidth: 96 }}>
        {number(metrics.checkedIn)}
        <Under>{t.outOf(number(metrics.totalRegistered))}</Under>
      </TableCell>
      <TableCell sx={{ pt: "18px !important" }}>
        <Share share={metrics.attendanceRate} label={t.attendance} />
      </TableCell>
      <TableCell>
        <Sparkline points={line} label={t.lineLabel(number(line[0] ?? 0), number(line.at(-1) ?? 0))} />
      </TableCell>
      <TableCell sx={{ minWidth: 120 }}>
        {metrics.gateActivity.length === 0 ? (
          <Under>–</Under>
        ) : (
          <>
            {t.gatesOpen(open, metrics.gateActivity.length)}
            <Under>{t.flow(decimal(flow))}</Under>
          </>
        )}
      </TableCell>
    </TableRow>
  );
  if (!hasMore) return row;
  return (
    <>
      {row}
      <TableRow>
        <TableCell colSpan={7} sx={{ pt: 0, pb: 2 }}>
          <Box sx={{ display: "grid", gap: 1 }}>
            {isStale && <Under>{source?.lastError ? t.staleWhy(words(source.lastErrorWording, source.lastError)) : t.staleNoWhy}</Under>}
            {event.alerts.map((alert) => (
              <AlertLine key={alert.kind} alert={alert} />
            ))}
          </Box>
        </TableCell>
      </TableRow>
    </>
  );
}

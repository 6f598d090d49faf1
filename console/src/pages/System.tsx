// This process: what it stands on, its links with their breakers, its bus, and where an event is.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Skeleton from "@mui/material/Skeleton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TextField from "@mui/material/TextField";
import { useState } from "react";

import { path } from "../api/client";
import type { BusOverview, HealthStatus, Overview, PlatformLink, Sightings } from "../api/types";
import { Code, Scrolling, StateChip, Under, type Tone } from "../parts/bits";
import { Figures, Page, Panel, Stacked } from "../parts/Page";
import { Loaded, ProblemNotice, Quiet, useReading } from "../parts/states";
import { useText } from "../text";
import { Links } from "./system/Links";

const TONE: Record<HealthStatus, Tone> = { healthy: "good", degraded: "warning", unhealthy: "bad", starting: "info", stopping: "info" };

export default function System() {
  const { t } = useText();
  const overview = useReading<Overview>("/api/operator/overview", 10);
  // What links there are says how high the page is: it shows once both are known, so that nothing moves.
  const links = useReading<{ links: PlatformLink[] }>("/api/operator/links", 5);
  return (
    <Page title={t.system} sentence={t.systemSentence}>
      <Loaded reading={links.data || links.error ? overview : { ...overview, data: undefined }} skeleton={<Skeleton variant="rounded" height={700} />}>
        {({ version, parts, health }) => (
          <>
            <Figures
              figures={[
                { name: t.health, value: <StateChip tone={TONE[health.status]}>{t.healthState[health.status]}</StateChip> },
                { name: t.version, value: version },
                { name: t.parts, value: parts.length, more: parts.map((part) => t.partNames[part] ?? part).join(", ") },
              ]}
            />
            <Checks checks={health.checks} />
            <Box sx={{ mt: 2.5 }}>
              <Stacked>
                <Links />
                <Where />
                <Bus />
              </Stacked>
            </Box>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Checks({ checks }: { checks: Overview["health"]["checks"] }) {
  const { t, dateTime } = useText();
  return (
    <Box sx={{ display: "grid", gap: 1.5, gridTemplateColumns: "repeat(auto-fit, minmax(220px, 1fr))" }}>
      {checks.map((check) => (
        <Panel key={check.name} padded title={checkTitle(check.name, t.checkNames)} sentence={check.critical ? t.critical : undefined}>
          <StateChip tone={TONE[check.status]}>{t.healthState[check.status]}</StateChip>
          {check.since && <Under>{t.since(dateTime(check.since))}</Under>}
          {check.detail && <Under tone="error.main">{check.detail}</Under>}
        </Panel>
      ))}
    </Box>
  );
}

function Bus() {
  const { t, number, span } = useText();
  const reading = useReading<BusOverview>("/api/operator/bus", 10);
  return (
    <Panel title={t.bus} sentence={reading.data ? t.busSentence(reading.data.backend) : "…"}>
      <Loaded reading={reading}>
        {({ groups }) =>
          groups.length === 0 ? (
            <Quiet>{t.noGroups}</Quiet>
          ) : (
            <Scrolling label={t.bus}>
              <Table size="small" sx={{ minWidth: 680 }}>
                <TableHead>
                  <TableRow>
                    <TableCell>{t.topic}</TableCell>
                    <TableCell>{t.consumer}</TableCell>
                    <TableCell align="right">{t.unread}</TableCell>
                    <TableCell align="right">{t.oldest}</TableCell>
                    <TableCell align="right">{t.inLane}</TableCell>
                    <TableCell align="right">{t.dead}</TableCell>
                  </TableRow>
                </TableHead>
                <TableBody>
                  {groups.map((group) => (
                    <TableRow key={`${group.topic} ${group.group}`}>
                      <TableCell component="th" scope="row">
                        <Code>{group.topic}</Code>
                      </TableCell>
                      <TableCell>
                        <Code>{group.group}</Code>
                      </TableCell>
                      <TableCell align="right">{number(group.unread)}</TableCell>
                      <TableCell align="right">{group.unread > 0 ? span(group.oldestSeconds) : "–"}</TableCell>
                      <TableCell align="right">{number(group.inLane)}</TableCell>
                      <TableCell align="right" sx={group.dead > 0 ? { color: "error.main", fontWeight: 650 } : undefined}>
                        {number(group.dead)}
                      </TableCell>
                    </TableRow>
                  ))}
                </TableBody>
              </Table>
            </Scrolling>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Where() {
  const { t, dateTime } = useText();
  const [asked, setAsked] = useState("");
  const reading = useReading<Sightings>(asked ? path`/api/operator/where/${asked}` : null, 0);
  return (
    <Panel title={t.where} sentence={t.whereSentence}>
      <Box
        component="form"
        sx={{ display: "flex", gap: 1.5, px: 2.5, pb: 2, flexWrap: "wrap" }}
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(String(new FormData(event.currentTarget).get("id") ?? "").trim());
        }}
      >
        <TextField name="id" size="small" label={t.whereField} required sx={{ flex: "1 1 320px", maxWidth: 520 }} />
        <Button type="submit" variant="outlined">
          {t.find}
        </Button>
      </Box>
      <Box aria-live="polite">
        {reading.isAbsent && <Quiet>{t.unseen}</Quiet>}
        {reading.error && !reading.isAbsent && <ProblemNotice problem={reading.error} />}
        {asked && reading.data && (
          <Scrolling label={t.where}>
            <Table size="small">
              <TableHead>
                <TableRow>
                  <TableCell>{t.stage}</TableCell>
                  <TableCell>{t.sinceColumn}</TableCell>
                  <TableCell>{t.details}</TableCell>
                </TableRow>
              </TableHead>
              <TableBody>
                {reading.data.sightings.map((seen, i) => (
                  <TableRow key={`${seen.stage}-${i}`}>
                    <TableCell component="th" scope="row">
                      {t.stages[seen.stage] ?? seen.stage}
                    </TableCell>
                    <TableCell sx={{ whiteSpace: "nowrap" }}>{dateTime(seen.at)}</TableCell>
                    <TableCell>{seen.detail}</TableCell>
                  </TableRow>
                ))}
              </TableBody>
            </Table>
          </Scrolling>
        )}
      </Box>
    </Panel>
  );
}

/** Names a check; behind a dot stands which one of several it is, such as the engine of `ears.whisper`. */
function checkTitle(name: string, names: Record<string, string>) {
  const [kind = name, ...which] = name.split(".");
  const title = names[kind];
  if (!title) return name;
  return which.length > 0 ? `${title} · ${which.join(".")}` : title;
}

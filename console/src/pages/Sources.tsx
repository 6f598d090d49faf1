// Systems that the hub reads: how each fares, trying it again, connecting and removing one.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Tooltip from "@mui/material/Tooltip";
import { Plug, Plus } from "lucide-react";
import { useState } from "react";

import { drop, path, tell } from "../api/client";
import type { ProbeReport, Source } from "../api/types";
import { useAnnounce } from "../parts/announce";
import { Code, Said, Scrolling, StateChip, Under } from "../parts/bits";
import { Ask, Show, useDoing } from "../parts/dialogs";
import { Page, Panel } from "../parts/Page";
import { Empty, Loaded, ProblemNotice, useReading } from "../parts/states";
import { useText } from "../text";
import { Probe } from "./sources/Probe";
import { Register } from "./sources/Register";

export default function Sources() {
  const { t } = useText();
  const { tell: announce } = useAnnounce();
  const reading = useReading<{ sources: Source[] }>("/api/operator/sources", 5);
  const [isAdding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Source | null>(null);
  const add = (
    <Button variant="contained" startIcon={<Plus size={17} aria-hidden />} onClick={() => setAdding(true)}>
      {t.register}
    </Button>
  );
  return (
    <Page title={t.sources} sentence={t.sourcesSentence} actions={add}>
      <Panel>
        <Loaded reading={reading}>
          {({ sources }) =>
            sources.length === 0 ? (
              <Empty icon={Plug} title={t.noSources} sentence={t.noSourcesSentence} />
            ) : (
              <Scrolling label={t.sources}>
                <Table sx={{ minWidth: 940 }}>
                  <TableHead>
                    <TableRow>
                      <TableCell>{t.system_}</TableCell>
                      <TableCell>{t.connector}</TableCell>
                      <TableCell>{t.health}</TableCell>
                      <TableCell>{t.position}</TableCell>
                      <TableCell align="right">{t.actions}</TableCell>
                    </TableRow>
                  </TableHead>
                  <TableBody>
                    {sources.map((source) => (
                      <Row key={source.eventId} source={source} onRemove={() => setRemoving(source)} />
                    ))}
                  </TableBody>
                </Table>
              </Scrolling>
            )
          }
        </Loaded>
      </Panel>
      {isAdding && <Register onClose={() => setAdding(false)} onDone={reading.renew} />}
      {removing && (
        <Ask
          title={t.removeTitle(removing.eventId)}
          sentence={t.removeSentence}
          action={t.remove}
          isGrave
          onClose={() => setRemoving(null)}
          onDo={async () => {
            await drop(path`/api/operator/sources/${removing.eventId}`);
            setRemoving(null);
            announce(t.removedNow(removing.eventId));
            await reading.renew();
          }}
        />
      )}
    </Page>
  );
}

/** Tells whether reads have failed to come for several turns; from 300 s on the hub calls the event stale. */
function isBehind(source: Source): boolean {
  if (source.phase !== "live" || !source.lastSuccessAt) return false;
  const lag = (Date.now() - new Date(source.lastSuccessAt).getTime()) / 1_000;
  return lag > Math.max(5 * source.interval, 300);
}

function Row({ source, onRemove }: { source: Source; onRemove: () => void }) {
  const { t, ago, span, number } = useText();
  const [report, setReport] = useState<ProbeReport | null>(null);
  const { doing, problem, run, clear } = useDoing();
  const check = () => void run(async () => setReport(await tell<ProbeReport>(path`/api/operator/sources/${source.eventId}/check`)));
  return (
    <TableRow sx={{ "& td, & th": { verticalAlign: "top" } }} data-source={source.eventId}>
      <TableCell component="th" scope="row" sx={{ maxWidth: 320 }}>
        <Box sx={{ fontWeight: 650 }}>{source.serviceName}</Box>
        <Under>
          <Code>{source.eventId}</Code>
        </Under>
        <Under>{source.api}</Under>
      </TableCell>
      <TableCell>
        {t.connectors[source.connector] ?? source.connector}
        <Under>{t.every(span(source.interval))}</Under>
      </TableCell>
      <TableCell sx={{ maxWidth: 280 }}>
        <StateChip tone={source.healthy ? "good" : "bad"}>{source.healthy ? t.healthy : t.unhealthy}</StateChip>
        {source.failures > 0 && <Under tone="error.main">{t.failuresInRow(source.failures)}</Under>}
        {source.lastError && (
          <Under>
            {source.lastErrorWording && <Said wording={source.lastErrorWording} sentence="" />}{" "}
            <span lang="en">{source.lastError}</span>
          </Under>
        )}
      </TableCell>
      <TableCell sx={{ minWidth: 170 }}>
        {isBehind(source) ? (
          <StateChip tone="warning">{t.behind}</StateChip>
        ) : (
          <StateChip tone={source.phase === "live" ? "good" : "info"}>{t.phase[source.phase]}</StateChip>
        )}
        <Under>
          {t.lastRead}: {source.lastSuccessAt ? ago(source.lastSuccessAt) : t.never}
        </Under>
        {source.syncedRows > 0 && <Under>{t.rowsRead(number(source.syncedRows))}</Under>}
        {source.cursor && (
          <Tooltip title={source.cursor}>
            <span>
              <Under>
                <Code>{source.cursor.length > 28 ? `${source.cursor.slice(0, 28)}…` : source.cursor}</Code>
              </Under>
            </span>
          </Tooltip>
        )}
      </TableCell>
      <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
        <Button size="small" onClick={check} loading={doing} aria-label={`${t.check}: ${source.eventId}`}>
          {t.check}
        </Button>
        <Button size="small" color="error" onClick={onRemove} aria-label={`${t.remove}: ${source.eventId}`}>
          {t.remove}
        </Button>
        {(report || problem) && (
          <Show
            title={`${t.probe} · ${source.eventId}`}
            maxWidth="sm"
            onClose={() => {
              setReport(null);
              clear();
            }}
          >
            {report ? <Probe report={report} /> : problem && <ProblemNotice problem={problem} />}
          </Show>
        )}
      </TableCell>
    </TableRow>
  );
}

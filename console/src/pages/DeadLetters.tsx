// Events that failed for good: what, why, and again.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import MuiLink from "@mui/material/Link";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { CircleCheckBig } from "lucide-react";
import { useState } from "react";

import { path, tell } from "../api/client";
import type { DeadLetter, DeadShown, DeadState } from "../api/types";
import { useAnnounce } from "../parts/announce";
import { Body, Code, Scrolling, StateChip, Under } from "../parts/bits";
import { Ask, Facts, Show, useDoing } from "../parts/dialogs";
import { Page, Panel } from "../parts/Page";
import { Empty, Loaded, ProblemNotice, useReading } from "../parts/states";
import { useText } from "../text";

const TONE = { parked: "bad", replaying: "info", in_lane: "info", resolved: "good", discarded: "quiet" } as const;
const STATES: DeadState[] = ["parked", "replaying", "in_lane", "resolved", "discarded"];

export default function DeadLetters() {
  const { t } = useText();
  const { tell: announce } = useAnnounce();
  const [state, setState] = useState<DeadState | "all">("all");
  const reading = useReading<{ letters: DeadLetter[] }>(`/api/operator/dead${state === "all" ? "" : `?state=${state}`}`, 10);
  const [shown, setShown] = useState<string | null>(null);
  const { doing, problem, run } = useDoing();
  const waiting = reading.data?.letters.filter((letter) => letter.state === "parked").length ?? 0;
  const replayAll = () =>
    void run(async () => {
      const { replayed } = await tell<{ replayed: number }>("/api/operator/dead/replay", {});
      announce(t.replayedNow(replayed));
      await reading.renew();
    });
  const actions = (
    <>
      <TextField select size="small" label={t.state} value={state} sx={{ minWidth: 180 }} onChange={(event) => setState(event.target.value as DeadState | "all")}>
        <MenuItem value="all">{t.all}</MenuItem>
        {STATES.map((one) => (
          <MenuItem key={one} value={one}>
            {t.deadState[one]}
          </MenuItem>
        ))}
      </TextField>
      <Button variant="outlined" disabled={waiting === 0} loading={doing} onClick={replayAll}>
        {t.replayAll}
      </Button>
    </>
  );
  return (
    <Page title={t.deadLetters} sentence={t.deadSentence} actions={actions}>
      {problem && <ProblemNotice problem={problem} />}
      <Panel>
        <Loaded reading={reading}>
          {({ letters }) =>
            letters.length === 0 ? (
              <Empty icon={CircleCheckBig} title={t.noDead} sentence={t.noDeadSentence} />
            ) : (
              <Scrolling label={t.deadLetters}>
                <Table sx={{ minWidth: 900 }}>
                  <TableHead>
                    <TableRow>
                      <TableCell>{t.reason}</TableCell>
                      <TableCell>{t.topic}</TableCell>
                      <TableCell>{t.state}</TableCell>
                      <TableCell align="right">{t.attempts}</TableCell>
                      <TableCell>{t.lastFailed}</TableCell>
                    </TableRow>
                  </TableHead>
                  <TableBody>
                    {letters.map((letter) => (
                      <Row key={letter.id} letter={letter} onShow={() => setShown(letter.id)} />
                    ))}
                  </TableBody>
                </Table>
              </Scrolling>
            )
          }
        </Loaded>
      </Panel>
      {shown && <Letter id={shown} onClose={() => setShown(null)} onChanged={reading.renew} />}
    </Page>
  );
}

function Row({ letter, onShow }: { letter: DeadLetter; onShow: () => void }) {
  const { t, dateTime, number } = useText();
  return (
    <TableRow hover sx={{ "& td, & th": { verticalAlign: "top" } }}>
      <TableCell component="th" scope="row" sx={{ maxWidth: 420 }}>
        <MuiLink component="button" type="button" aria-label={`${t.showLetter(letter.id)}: ${letter.reason}`} onClick={onShow} sx={{ fontWeight: 650, textAlign: "left" }}>
          {letter.reason}
        </MuiLink>
        <Under>{letter.message}</Under>
      </TableCell>
      <TableCell>
        <Code>{letter.topic}</Code>
        <Under>
          {t.consumer}: <Code>{letter.group}</Code>
        </Under>
      </TableCell>
      <TableCell>
        <StateChip tone={TONE[letter.state]}>{t.deadState[letter.state]}</StateChip>
      </TableCell>
      <TableCell align="right">{number(letter.attempts)}</TableCell>
      <TableCell sx={{ whiteSpace: "nowrap" }}>{dateTime(letter.lastAt)}</TableCell>
    </TableRow>
  );
}

function Letter({ id, onClose, onChanged }: { id: string; onClose: () => void; onChanged: () => Promise<unknown> }) {
  const { t, dateTime } = useText();
  const { tell: announce } = useAnnounce();
  const reading = useReading<DeadShown>(path`/api/operator/dead/${id}`, 3);
  const { doing, problem, run } = useDoing();
  const [isLettingGo, setLettingGo] = useState(false);
  const isParked = reading.data?.letter.state === "parked";
  const replay = () =>
    void run(async () => {
      await tell(path`/api/operator/dead/${id}/replay`);
      announce(t.replayedNow(1));
      await Promise.all([reading.renew(), onChanged()]);
    });
  const actions = (
    <>
      <Button variant="contained" disabled={!isParked} loading={doing} onClick={replay}>
        {t.replay}
      </Button>
      <Button color="error" disabled={!isParked} onClick={() => setLettingGo(true)}>
        {t.discard}
      </Button>
    </>
  );
  return (
    <Show title={reading.data?.letter.reason ?? t.loading} actions={actions} onClose={onClose}>
      <Loaded reading={reading}>
        {({ letter, trail }) => (
          <Box sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>
            {problem && <ProblemNotice problem={problem} />}
            <Facts
              facts={[
                [t.state, <StateChip key="state" tone={TONE[letter.state]}>{t.deadState[letter.state]}</StateChip>],
                [t.reason, `${letter.message} (${letter.code})`],
                [t.topic, <Code key="topic">{letter.topic}</Code>],
                [t.consumer, <Code key="group">{letter.group}</Code>],
                [t.event, <Code key="event">{letter.eventId}</Code>],
                [t.attempts, `${letter.attempts} · ${dateTime(letter.firstAt)} – ${dateTime(letter.lastAt)}`],
                [t.trace, letter.traceparent ? <Code key="trace">{letter.traceparent}</Code> : t.none],
              ]}
            />
            <Box>
              <Typography variant="h3" gutterBottom>
                {t.body}
              </Typography>
              <Body text={letter.body} label={t.body} />
            </Box>
            {trail.length > 0 && (
              <Box>
                <Typography variant="h3" gutterBottom>
                  {t.trail}
                </Typography>
                {trail.map((step) => (
                  <Under key={`${step.at}-${step.action}`}>
                    {dateTime(step.at)} · {step.who} · {t.deadActions[step.action] ?? step.action} {step.detail}
                  </Under>
                ))}
              </Box>
            )}
          </Box>
        )}
      </Loaded>
      {isLettingGo && (
        <Ask
          title={t.discardTitle}
          sentence={t.discardSentence}
          action={t.discard}
          isGrave
          onClose={() => setLettingGo(false)}
          onDo={async (form) => {
            await tell(path`/api/operator/dead/${id}/discard`, { reason: String(form.get("reason") ?? "") });
            setLettingGo(false);
            announce(t.discardedNow);
            await Promise.all([reading.renew(), onChanged()]);
          }}
        >
          <TextField name="reason" label={t.reason} required fullWidth autoFocus slotProps={{ htmlInput: { maxLength: 200 } }} sx={{ mt: 0.5 }} />
        </Ask>
      )}
    </Show>
  );
}

// The links of this process, and their breakers in a person's hand.
import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Skeleton from "@mui/material/Skeleton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TextField from "@mui/material/TextField";
import { useState } from "react";

import { path, tell } from "../../api/client";
import type { PlatformLink } from "../../api/types";
import { useAnnounce } from "../../parts/announce";
import { Code, Scrolling, StateChip, Under, type Tone } from "../../parts/bits";
import { Ask } from "../../parts/dialogs";
import { Panel } from "../../parts/Page";
import { Loaded, Quiet, useReading } from "../../parts/states";
import { useText } from "../../text";

type Order = "open" | "close" | "hold" | "release";
const ORDERS: Order[] = ["open", "close", "hold", "release"];

const TONE: Record<string, Tone> = { closed: "good", open: "bad", "half-open": "warning", "held-open": "bad", "forced-closed": "warning" };

export function Links() {
  const { t } = useText();
  const { tell: announce } = useAnnounce();
  const reading = useReading<{ links: PlatformLink[] }>("/api/operator/links", 5);
  const [steering, setSteering] = useState<{ name: string; order: Order } | null>(null);
  const order = async (name: string, wish: Order, reason: string) => {
    const link = await tell<PlatformLink>(path`/api/operator/links/${name}`, { order: wish, reason });
    setSteering(null);
    announce(t.steered(name, t.breakerState[link.breaker?.state ?? ""] ?? t.breakerOff));
    await reading.renew();
  };
  return (
    <Panel title={t.links} sentence={t.linksSentence}>
      <Loaded reading={reading} skeleton={<Skeleton variant="rounded" height={102} />}>
        {({ links }) =>
          links.length === 0 ? (
            <Quiet>{t.noLinks}</Quiet>
          ) : (
            <Scrolling label={t.links}>
              <Table size="small" sx={{ minWidth: 820 }}>
                <TableHead>
                  <TableRow>
                    <TableCell>{t.link}</TableCell>
                    <TableCell>{t.breaker}</TableCell>
                    <TableCell align="right">{t.calls}</TableCell>
                    <TableCell align="right">{t.failures}</TableCell>
                    <TableCell align="right">{t.refused}</TableCell>
                    <TableCell align="right">{t.p95}</TableCell>
                    <TableCell align="right">{t.actions}</TableCell>
                  </TableRow>
                </TableHead>
                <TableBody>
                  {links.map((link) => (
                    <Row key={link.name} link={link} onOrder={(wish) => setSteering({ name: link.name, order: wish })} />
                  ))}
                </TableBody>
              </Table>
            </Scrolling>
          )
        }
      </Loaded>
      {steering && (
        <Ask
          title={t.steerTitle(steering.name)}
          sentence={`${t.orders[steering.order]}. ${steering.order === "release" ? "" : t.steerSentence}`}
          action={t.steer}
          isGrave={steering.order === "open"}
          onClose={() => setSteering(null)}
          onDo={(form) => order(steering.name, steering.order, String(form.get("reason") ?? ""))}
        >
          {steering.order !== "release" && (
            <TextField name="reason" label={t.reason} required fullWidth autoFocus slotProps={{ htmlInput: { maxLength: 200 } }} sx={{ mt: 0.5 }} />
          )}
        </Ask>
      )}
    </Panel>
  );
}

// The process that answers, where the platform started it.
function Process({ process }: { process: NonNullable<PlatformLink["process"]> }) {
  const { t } = useText();
  const isWell = process.state === "running";
  return (
    <>
      <StateChip tone={isWell ? "good" : "bad"}>{t.processState[process.state]}</StateChip>
      {process.restarts > 0 && <Under>{t.restarts(process.restarts)}</Under>}
      {process.ended && <Under>{process.ended}</Under>}
    </>
  );
}

function Row({ link, onOrder }: { link: PlatformLink; onOrder: (order: Order) => void }) {
  const { t, number } = useText();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const refused = Object.values(link.rejected).reduce((sum, count) => sum + count, 0);
  const state = link.breaker?.state;
  return (
    <TableRow sx={{ "& td, & th": { verticalAlign: "top" } }} data-link={link.name}>
      <TableCell component="th" scope="row">
        <Code>{link.name}</Code>
        <Under>
          {link.wire} · {link.to}
        </Under>
        {link.process && <Process process={link.process} />}
      </TableCell>
      <TableCell>
        <StateChip tone={TONE[state ?? ""] ?? "quiet"}>{state ? t.breakerState[state] : t.breakerOff}</StateChip>
        {link.breaker?.reason && <Under>{link.breaker.reason}</Under>}
      </TableCell>
      <TableCell align="right">{number(link.calls)}</TableCell>
      <TableCell align="right">{number(link.failures)}</TableCell>
      <TableCell align="right">{number(refused)}</TableCell>
      <TableCell align="right">{link.p95Ms === undefined ? "–" : `${number(link.p95Ms)} ms`}</TableCell>
      <TableCell align="right">
        <Button size="small" disabled={!state} aria-haspopup="menu" aria-label={t.steerLabel(link.name)} onClick={(event) => setAnchor(event.currentTarget)}>
          {t.steer}
        </Button>
        <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
          {ORDERS.map((order) => (
            <MenuItem
              key={order}
              onClick={() => {
                setAnchor(null);
                onOrder(order);
              }}
            >
              {t.orders[order]}
            </MenuItem>
          ))}
        </Menu>
      </TableCell>
    </TableRow>
  );
}

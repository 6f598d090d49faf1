// Partners' keys: making, rotating and revoking them, and when each was last used.
import Autocomplete from "@mui/material/Autocomplete";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import MenuItem from "@mui/material/MenuItem";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TextField from "@mui/material/TextField";
import { Handshake, Plus } from "lucide-react";
import { useState } from "react";

import { path, tell } from "../api/client";
import type { IssuedKey, Key } from "../api/types";
import { useAnnounce } from "../parts/announce";
import { Code, Scrolling, StateChip, Under } from "../parts/bits";
import { Ask, ShowOnce } from "../parts/dialogs";
import { Page, Panel } from "../parts/Page";
import { Empty, Loaded, useReading } from "../parts/states";
import { useText } from "../text";

const KEYS = "/api/operator/keys";
const SCOPES = ["events:read", "attendance:read", "analytics:read", "webhooks:write", "gates:write", "finance:read", "hub:operate"];
const USUAL = SCOPES.slice(0, 4);
const DAY = 86_400;
const TONE = { active: "good", expired: "warning", revoked: "quiet" } as const;

type Doing = { kind: "create" } | { kind: "rotate" | "revoke"; key: Key } | null;

export default function Partners() {
  const { t } = useText();
  const { tell: announce } = useAnnounce();
  const reading = useReading<{ keys: Key[] }>(KEYS, 10);
  const [doing, setDoing] = useState<Doing>(null);
  const [issued, setIssued] = useState<IssuedKey | null>(null);
  const close = () => setDoing(null);
  const show = async (made: IssuedKey) => {
    close();
    setIssued(made);
    await reading.renew();
  };
  const create = (
    <Button variant="contained" startIcon={<Plus size={17} aria-hidden />} onClick={() => setDoing({ kind: "create" })}>
      {t.createKey}
    </Button>
  );
  return (
    <Page title={t.partners} sentence={t.partnersSentence} actions={create}>
      <Panel>
        <Loaded reading={reading}>
          {({ keys }) =>
            keys.length === 0 ? (
              <Empty icon={Handshake} title={t.noKeys} sentence={t.noKeysSentence} />
            ) : (
              <Scrolling label={t.partners}>
                <Table sx={{ minWidth: 960 }}>
                  <TableHead>
                    <TableRow>
                      <TableCell>{t.partner}</TableCell>
                      <TableCell>{t.state}</TableCell>
                      <TableCell>{t.tier}</TableCell>
                      <TableCell>{t.scopes}</TableCell>
                      <TableCell>{t.mayFollow}</TableCell>
                      <TableCell>{t.lastUsed}</TableCell>
                      <TableCell align="right">{t.actions}</TableCell>
                    </TableRow>
                  </TableHead>
                  <TableBody>
                    {[...keys].reverse().map((key) => (
                      <Row key={key.keyId} one={key} onDo={setDoing} />
                    ))}
                  </TableBody>
                </Table>
              </Scrolling>
            )
          }
        </Loaded>
      </Panel>
      {doing?.kind === "create" && <Create onClose={close} onMade={show} />}
      {doing?.kind === "rotate" && (
        <Ask
          title={t.rotateTitle(doing.key.name)}
          sentence={t.rotateSentence}
          action={t.rotate}
          onClose={close}
          onDo={async (form) => {
            const overlapSeconds = Number(form.get("overlap"));
            await show(await tell<IssuedKey>(path`/api/operator/keys/${doing.key.keyId}/rotate`, { overlapSeconds }));
          }}
        >
          <TextField select name="overlap" label={t.overlap} defaultValue={DAY} fullWidth sx={{ mt: 0.5 }}>
            <MenuItem value={3_600}>{t.oneHour}</MenuItem>
            <MenuItem value={DAY}>{t.oneDay}</MenuItem>
            <MenuItem value={7 * DAY}>{t.oneWeek}</MenuItem>
          </TextField>
        </Ask>
      )}
      {doing?.kind === "revoke" && (
        <Ask
          title={t.revokeTitle(doing.key.name)}
          sentence={t.revokeSentence}
          action={t.revoke}
          isGrave
          onClose={close}
          onDo={async () => {
            await tell(path`/api/operator/keys/${doing.key.keyId}/revoke`);
            close();
            announce(t.revokedNow(doing.key.name));
            await reading.renew();
          }}
        />
      )}
      {issued && (
        <ShowOnce title={t.keyMade(issued.key.name)} sentence={t.shownOnce} label={t.keyField} text={issued.text} onClose={() => setIssued(null)} />
      )}
    </Page>
  );
}

function Row({ one, onDo }: { one: Key; onDo: (doing: Doing) => void }) {
  const { t, date, ago, dateTime } = useText();
  return (
    <TableRow sx={{ "& td, & th": { verticalAlign: "top" } }} data-key={one.keyId}>
      <TableCell component="th" scope="row">
        <Box sx={{ fontWeight: 650 }}>{one.name}</Box>
        <Under>
          <Code>{one.keyId}</Code>
        </Under>
      </TableCell>
      <TableCell>
        <StateChip tone={TONE[one.status]}>{t.keyStatus[one.status]}</StateChip>
        {one.expiresAt && (
          <Under>
            {t.expires}: {date(one.expiresAt)}
          </Under>
        )}
        {one.previousValidUntil && <Under tone="warning.main">{t.oldTextUntil(dateTime(one.previousValidUntil))}</Under>}
      </TableCell>
      <TableCell>{t.tiers[one.tier]}</TableCell>
      <TableCell sx={{ minWidth: 280 }}>
        <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.5 }}>
          {one.scopes.map((scope) => (
            <Chip key={scope} size="small" variant="outlined" label={scope} sx={{ fontWeight: 500, fontSize: "0.75rem", height: 22 }} />
          ))}
        </Box>
      </TableCell>
      <TableCell sx={{ maxWidth: 200 }}>{one.events.includes("*") ? t.allEvents : one.events.join(", ") || t.none}</TableCell>
      <TableCell>
        {one.lastUsedAt ? ago(one.lastUsedAt) : t.neverUsed}
        <Under>
          {t.created}: {date(one.createdAt)}
        </Under>
      </TableCell>
      <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
        <Button size="small" disabled={one.status === "revoked"} aria-label={`${t.rotate}: ${one.name}`} onClick={() => onDo({ kind: "rotate", key: one })}>
          {t.rotate}
        </Button>
        <Button
          size="small"
          color="error"
          disabled={one.status === "revoked"}
          aria-label={`${t.revoke}: ${one.name}`}
          onClick={() => onDo({ kind: "revoke", key: one })}
        >
          {t.revoke}
        </Button>
      </TableCell>
    </TableRow>
  );
}

function Create({ onClose, onMade }: { onClose: () => void; onMade: (made: IssuedKey) => Promise<void> }) {
  const { t } = useText();
  const [scopes, setScopes] = useState<string[]>(USUAL);
  return (
    <Ask
      title={t.createKey}
      action={t.createKey}
      maxWidth="sm"
      onClose={onClose}
      onDo={async (form) => {
        const text = (name: string) => String(form.get(name) ?? "").trim();
        const days = Number(text("expires"));
        await onMade(
          await tell<IssuedKey>(KEYS, {
            name: text("name"),
            tier: text("tier"),
            scopes,
            events: text("events").split(",").map((id) => id.trim()).filter(Boolean),
            ...(days > 0 && { expiresAt: new Date(Date.now() + days * DAY * 1_000).toISOString() }),
            ...(text("perMinute") && { perMinute: Number(text("perMinute")) }),
          }),
        );
      }}
    >
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" }, pt: 0.5 }}>
        <TextField name="name" label={t.partner} required autoFocus slotProps={{ htmlInput: { maxLength: 100 } }} />
        <TextField select name="tier" label={t.tier} defaultValue="partner">
          {Object.entries(t.tiers).map(([value, name]) => (
            <MenuItem key={value} value={value}>
              {name}
            </MenuItem>
          ))}
        </TextField>
        <Autocomplete
          multiple
          options={SCOPES}
          value={scopes}
          onChange={(_, next) => setScopes(next)}
          sx={{ gridColumn: "1 / -1" }}
          renderInput={(props) => <TextField {...props} label={t.scopes} />}
        />
        <TextField name="events" label={t.eventsField} helperText={t.eventsHelp} defaultValue="*" sx={{ gridColumn: "1 / -1" }} />
        <TextField select name="expires" label={t.expiryField} defaultValue={0}>
          <MenuItem value={0}>{t.noExpiry}</MenuItem>
          <MenuItem value={90}>{t.ninetyDays}</MenuItem>
          <MenuItem value={365}>{t.oneYear}</MenuItem>
        </TextField>
        <TextField name="perMinute" label={t.perMinute} helperText={t.perMinuteHelp} type="number" slotProps={{ htmlInput: { min: 1 } }} />
      </Box>
    </Ask>
  );
}

// The devices: who is connected, what each measured, and the secrets that they come with.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TextField from "@mui/material/TextField";
import { Plus, Radio } from "lucide-react";
import { Fragment, useEffect, useRef, useState } from "react";

import { path, tell } from "../../api/client";
import type { DeviceSecret, VoiceDevice } from "../../api/types";
import { useAnnounce } from "../../parts/announce";
import { Code, Prose, Scrolling, StateChip, Under } from "../../parts/bits";
import { Ask, ShowOnce } from "../../parts/dialogs";
import { Panel } from "../../parts/Page";
import { Empty } from "../../parts/states";
import { useText } from "../../text";
import { Measured } from "./Measured";

const DEVICES = "/api/operator/voice/devices";
const HOUR = 3_600;

/** What is done to a device; to one that there is not yet where none is named. */
interface Doing {
  kind: "add" | "rotate" | "revoke";
  device?: string;
}

export function Devices({ devices, renew }: { devices: VoiceDevice[]; renew: () => Promise<unknown> }) {
  const { t } = useText();
  const [doing, setDoing] = useState<Doing>();
  const [made, setMade] = useState<DeviceSecret>();
  const adds = useRef<HTMLButtonElement>(null);
  const hasDone = useRef(false);
  // The button that was used may be gone with what was done; the focus must not be.
  useEffect(() => {
    if (!hasDone.current || doing || made || document.activeElement !== document.body) return;
    hasDone.current = false;
    adds.current?.focus({ preventScroll: true });
  }, [devices, doing, made]);
  const add = (
    <Button ref={adds} size="small" startIcon={<Plus size={16} aria-hidden />} onClick={() => setDoing({ kind: "add" })}>
      {t.addDevice}
    </Button>
  );
  return (
    <Panel title={t.devices} sentence={t.devicesSentence} actions={add}>
      {devices.length === 0 ? (
        <Empty icon={Radio} title={t.noDevices} sentence={t.noDevicesSentence} />
      ) : (
        <Listed devices={devices} onDo={setDoing} />
      )}
      {doing && (
        <Handle
          {...doing}
          onClose={() => setDoing(undefined)}
          onDone={async (secret) => {
            hasDone.current = true;
            setDoing(undefined);
            setMade(secret);
            await renew();
          }}
        />
      )}
      {made && (
        <ShowOnce title={t.secretOf(made.deviceId)} sentence={t.secretOnce} label={t.deviceSecret} text={made.secret} onClose={() => setMade(undefined)}>
          <Made made={made} />
        </ShowOnce>
      )}
    </Panel>
  );
}

function Listed({ devices, onDo }: { devices: VoiceDevice[]; onDo: (doing: Doing) => void }) {
  const { t, ago, number } = useText();
  return (
    <Scrolling label={t.devices}>
      <Table size="small" sx={{ "& th, & td": { px: { xs: 1.25, sm: 2 }, whiteSpace: "normal" }, "& code": { overflowWrap: "anywhere" } }}>
        <TableHead>
          <TableRow>
            <TableCell>{t.device}</TableCell>
            <TableCell>{t.deviceState}</TableCell>
            <TableCell align="right">{t.waitingForIt}</TableCell>
            <TableCell align="right">{t.deviceSecret}</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {devices.map((device) => (
            <Fragment key={device.deviceId}>
              <TableRow data-device={device.deviceId} sx={{ "& td, & th": { verticalAlign: "top", ...(device.measured && { borderBottom: 0 }) } }}>
                <TableCell component="th" scope="row">
                  <Code>{device.deviceId}</Code>
                  {!device.hasSecret && <Under>{t.noSecret}</Under>}
                </TableCell>
                <TableCell>
                  <StateChip tone={device.connected ? "good" : "quiet"}>{device.connected ? t.deviceConnected : t.deviceAway}</StateChip>
                  <Under>{device.lastSeenAt ? t.heardOf(ago(device.lastSeenAt)) : t.neverHeardOf}</Under>
                </TableCell>
                <TableCell align="right">{number(device.waiting)}</TableCell>
                <TableCell align="right">
                  <Secrets device={device} onDo={onDo} />
                </TableCell>
              </TableRow>
              {device.measured && (
                <TableRow data-measured={device.deviceId}>
                  <TableCell colSpan={4} sx={{ pt: 0 }}>
                    <Measured measured={device.measured} />
                  </TableCell>
                </TableRow>
              )}
            </Fragment>
          ))}
        </TableBody>
      </Table>
    </Scrolling>
  );
}

/** What can be done with a device's secret. */
function Secrets({ device: { deviceId, hasSecret }, onDo }: { device: VoiceDevice; onDo: (doing: Doing) => void }) {
  const { t } = useText();
  const button = (kind: Doing["kind"], says: string) => (
    <Button
      size="small"
      color={kind === "revoke" ? "error" : "primary"}
      aria-label={`${says}: ${deviceId}`}
      onClick={() => onDo({ kind, device: deviceId })}
      sx={{ minWidth: 0, px: 0.75 }}
    >
      {says}
    </Button>
  );
  return (
    <Box sx={{ mr: -0.75 }}>
      {!hasSecret && button("add", t.giveSecret)}
      {hasSecret && button("rotate", t.newSecret)}
      {hasSecret && button("revoke", t.revoke)}
    </Box>
  );
}

/** Asks before something is done to a device's secret, and does it. */
function Handle({ kind, device, onClose, onDone }: Doing & { onClose: () => void; onDone: (made?: DeviceSecret) => Promise<void> }) {
  const { t } = useText();
  const { tell: announce } = useAnnounce();
  if (kind === "add" || !device) {
    return (
      <Ask
        title={device ? t.giveSecretTo(device) : t.addDevice}
        sentence={t.addDeviceSentence}
        action={t.makeSecret}
        onClose={onClose}
        onDo={async (form) => {
          const deviceId = device ?? String(form.get("deviceId") ?? "").trim();
          await onDone(await tell<DeviceSecret>(DEVICES, { deviceId }));
        }}
      >
        {!device && (
          <TextField
            name="deviceId"
            label={t.deviceId}
            helperText={t.deviceIdHelp}
            required
            fullWidth
            autoFocus
            sx={{ mt: 0.5 }}
            slotProps={{ htmlInput: { maxLength: 60, pattern: "[A-Za-z0-9._:\\-]+", autoCapitalize: "off", spellCheck: false } }}
          />
        )}
      </Ask>
    );
  }
  if (kind === "rotate") {
    return (
      <Ask
        title={t.newSecretOf(device)}
        sentence={t.newSecretSentence}
        action={t.makeSecret}
        onClose={onClose}
        onDo={async (form) => {
          const overlapSeconds = Number(form.get("overlap"));
          await onDone(await tell<DeviceSecret>(path`/api/operator/voice/devices/${device}/rotate`, { overlapSeconds }));
        }}
      >
        <TextField select name="overlap" label={t.overlap} defaultValue={24 * HOUR} fullWidth sx={{ mt: 0.5 }}>
          <MenuItem value={0}>{t.noOverlap}</MenuItem>
          <MenuItem value={HOUR}>{t.oneHour}</MenuItem>
          <MenuItem value={24 * HOUR}>{t.oneDay}</MenuItem>
          <MenuItem value={7 * 24 * HOUR}>{t.oneWeek}</MenuItem>
        </TextField>
      </Ask>
    );
  }
  return (
    <Ask
      title={t.revokeDevice(device)}
      sentence={t.revokeDeviceSentence}
      action={t.revoke}
      isGrave
      onClose={onClose}
      onDo={async () => {
        await tell(path`/api/operator/voice/devices/${device}/revoke`);
        announce(t.deviceRevoked(device));
        await onDone();
      }}
    />
  );
}

/** How a device comes with a secret, and until when it may with the one before. */
function Made({ made }: { made: DeviceSecret }) {
  const { t, dateTime } = useText();
  return (
    <Box sx={{ mt: 2, display: "grid", gap: 1 }}>
      <div>
        <Prose>{t.howDeviceComes(made.deviceId)}</Prose>
      </div>
      <Box sx={{ overflowWrap: "anywhere" }}>
        <Code>{`ieum device run --url mqtt://HOST:1883 --device ${made.deviceId} --secret-file FILE`}</Code>
      </Box>
      {made.formerValidUntil && <Under tone="warning.main">{t.formerSecretUntil(dateTime(made.formerValidUntil))}</Under>}
    </Box>
  );
}

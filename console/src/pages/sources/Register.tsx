// Connects a system: what is needed, the probe, then how far the first read is.
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import Step from "@mui/material/Step";
import StepLabel from "@mui/material/StepLabel";
import Stepper from "@mui/material/Stepper";
import TextField from "@mui/material/TextField";
import { useState } from "react";

import { path, tell } from "../../api/client";
import type { Connector, ProbeReport, Progress } from "../../api/types";
import { Ask, Show } from "../../parts/dialogs";
import { Loaded, useReading } from "../../parts/states";
import { useText } from "../../text";
import { Probe } from "./Probe";

interface Registered {
  eventId: string;
  probe: ProbeReport;
}

/** What the key or token is called in the credentials of each way to sign in. */
const CREDENTIAL: Record<string, (connector: Connector) => string> = {
  api_key: (connector) => (connector === "pretix" || connector === "pretalx" ? "token" : "apiKey"),
  oauth2: () => "token",
  jwt: () => "token",
};

function read(form: FormData, connector: Connector, kind: string) {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const credential = CREDENTIAL[kind]?.(connector);
  const lines = text("options").split("\n").map((line) => line.trim()).filter(Boolean);
  const options = Object.fromEntries(lines.map((line) => [line.split("=")[0]?.trim(), line.slice(line.indexOf("=") + 1).trim()]));
  return {
    eventId: text("eventId"),
    serviceName: text("serviceName") || text("eventId"),
    connector,
    endpoints: { api: text("api"), ...(text("health") && { healthCheck: text("health") }) },
    authentication: { type: kind, credentials: credential ? { [credential]: text("secret") } : {} },
    syncSettings: { interval: Number(text("interval")) || 30 },
    options,
  };
}

export function Register({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<unknown> }) {
  const { t } = useText();
  const [connector, setConnector] = useState<Connector>("generic");
  const [kind, setKind] = useState("none");
  const [registered, setRegistered] = useState<Registered | null>(null);
  if (registered) return <Follow registered={registered} onClose={onClose} />;
  return (
    <Ask
      title={t.register}
      sentence={t.registerSentence}
      action={t.register}
      maxWidth="sm"
      onClose={onClose}
      onDo={async (form) => {
        setRegistered(await tell<Registered>("/api/operator/sources", read(form, connector, kind)));
        await onDone();
      }}
    >
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { sm: "1fr 1fr" }, pt: 0.5 }}>
        <TextField select label={t.connector} value={connector} onChange={(event) => setConnector(event.target.value as Connector)}>
          {Object.entries(t.connectors).map(([value, name]) => (
            <MenuItem key={value} value={value}>
              {name}
            </MenuItem>
          ))}
        </TextField>
        <TextField name="interval" label={t.interval} type="number" defaultValue={30} slotProps={{ htmlInput: { min: 1, max: 86_400 } }} />
        <TextField name="eventId" label={t.eventId} helperText={t.eventIdHelp} required autoFocus slotProps={{ htmlInput: { pattern: "[A-Za-z0-9_.\\-]{1,64}" } }} />
        <TextField name="serviceName" label={t.serviceName} />
        <TextField name="api" label={t.apiUrl} type="url" required={connector !== "push"} disabled={connector === "push"} sx={{ gridColumn: "1 / -1" }} placeholder="https://tickets.example.org/api" />
        <TextField name="health" label={t.healthUrl} type="url" sx={{ gridColumn: "1 / -1" }} />
        <TextField select label={t.authentication} value={kind} onChange={(event) => setKind(event.target.value)}>
          {Object.entries(t.authKinds).map(([value, name]) => (
            <MenuItem key={value} value={value}>
              {name}
            </MenuItem>
          ))}
        </TextField>
        <TextField name="secret" label={t.secret} type="password" autoComplete="off" disabled={kind === "none"} required={kind !== "none"} />
        <TextField name="options" label={t.options} helperText={t.optionsHelp} multiline minRows={2} sx={{ gridColumn: "1 / -1" }} placeholder={"organizer=seoul\nevent=fair\ncapacity=5000"} />
      </Box>
    </Ask>
  );
}

function Follow({ registered, onClose }: { registered: Registered; onClose: () => void }) {
  const { t } = useText();
  const reading = useReading<Progress>(path`/api/operator/sources/${registered.eventId}/progress`, 1);
  return (
    <Show title={t.registeredNow(registered.eventId)} maxWidth="sm" onClose={onClose}>
      <Probe report={registered.probe} />
      <Box sx={{ mt: 2.5, minHeight: 260 }}>
        <Loaded reading={reading}>
          {({ steps }) => {
            const next = steps.findIndex((step) => step.state !== "done");
            return (
              <Stepper orientation="vertical" activeStep={next < 0 ? steps.length : next} aria-label={t.progress}>
                {steps.map((step) => (
                  <Step key={step.step} completed={step.state === "done"}>
                    <StepLabel error={step.state === "failed"} optional={<Box sx={{ color: "text.secondary", fontSize: "0.78rem" }}>{step.detail}</Box>}>
                      {t.steps[step.step]} · {t.stepStates[step.state]}
                    </StepLabel>
                  </Step>
                ))}
              </Stepper>
            );
          }}
        </Loaded>
        {reading.error && <Alert severity="error">{t.problemAway}</Alert>}
      </Box>
    </Show>
  );
}

// Where partners receive events, and what became of each message.
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
import { Webhook as WebhookIcon } from "lucide-react";
import { useState } from "react";

import { path, tell } from "../api/client";
import { DELIVERY_STATES, type Delivery, type DeliveryState, type Webhook } from "../api/types";
import { Code, Scrolling, StateChip, Under } from "../parts/bits";
import { useDoing } from "../parts/dialogs";
import { Page, Panel, Stacked } from "../parts/Page";
import { Empty, Loaded, ProblemNotice, Quiet, useReading } from "../parts/states";
import { useText } from "../text";
import { Detail, DELIVERY_TONE } from "./webhooks/Detail";

const PAGE = 25;
const STATE_TONE = { active: "good", paused: "warning", disabled: "bad" } as const;

export default function Webhooks() {
  const { t } = useText();
  const reading = useReading<{ webhooks: Webhook[] }>("/api/operator/webhooks", 10);
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <Page title={t.webhooks} sentence={t.webhooksSentence}>
      <Loaded reading={reading}>
        {({ webhooks }) => {
          if (webhooks.length === 0) {
            return (
              <Panel>
                <Empty icon={WebhookIcon} title={t.noWebhooks} sentence={t.noWebhooksSentence} />
              </Panel>
            );
          }
          const open = webhooks.find((webhook) => webhook.id === chosen) ?? webhooks[0];
          return (
            <Stacked>
              <Endpoints webhooks={webhooks} chosen={open?.id} onChoose={setChosen} onChanged={reading.renew} />
              {open && <Deliveries key={open.id} webhook={open} />}
            </Stacked>
          );
        }}
      </Loaded>
    </Page>
  );
}

interface EndpointsProps {
  webhooks: Webhook[];
  chosen: string | undefined;
  onChoose: (id: string) => void;
  onChanged: () => Promise<unknown>;
}

function Endpoints({ webhooks, chosen, onChoose, onChanged }: EndpointsProps) {
  const { t } = useText();
  return (
    <Panel title={t.endpoints} sentence={t.chooseEndpoint}>
      <Scrolling label={t.endpoints}>
        <Table sx={{ minWidth: 860 }}>
          <TableHead>
            <TableRow>
              <TableCell>{t.endpoint}</TableCell>
              <TableCell>{t.partner}</TableCell>
              <TableCell>{t.state}</TableCell>
              <TableCell>{t.events}</TableCell>
              <TableCell align="right">{t.actions}</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {webhooks.map((webhook) => (
              <EndpointRow key={webhook.id} webhook={webhook} isChosen={webhook.id === chosen} onChoose={() => onChoose(webhook.id)} onChanged={onChanged} />
            ))}
          </TableBody>
        </Table>
      </Scrolling>
    </Panel>
  );
}

interface EndpointRowProps {
  webhook: Webhook;
  isChosen: boolean;
  onChoose: () => void;
  onChanged: () => Promise<unknown>;
}

function EndpointRow({ webhook, isChosen, onChoose, onChanged }: EndpointRowProps) {
  const { t, dateTime } = useText();
  const { doing, problem, run } = useDoing();
  const turn = (action: "enable" | "disable") =>
    void run(async () => {
      await tell(path`/api/operator/webhooks/${webhook.partner}/${webhook.id}/` + action);
      await onChanged();
    });
  const isOff = webhook.state === "disabled";
  return (
    <TableRow selected={isChosen} sx={{ "& td, & th": { verticalAlign: "top" } }}>
      <TableCell component="th" scope="row" sx={{ maxWidth: 380 }}>
        <MuiLink component="button" type="button" aria-pressed={isChosen} onClick={onChoose} sx={{ fontWeight: 650, textAlign: "left", wordBreak: "break-all" }}>
          {webhook.url}
        </MuiLink>
        <Under>
          <Code>{webhook.id}</Code>
        </Under>
        {problem && <ProblemNotice problem={problem} />}
      </TableCell>
      <TableCell>
        {webhook.partnerName || "–"}
        <Under>
          <Code>{webhook.partner}</Code>
        </Under>
      </TableCell>
      <TableCell>
        <StateChip tone={STATE_TONE[webhook.state]}>{t.webhookState[webhook.state]}</StateChip>
        {webhook.reason && <Under>{t.webhookReason[webhook.reason]}</Under>}
        {webhook.pausedUntil && <Under>{t.pausedUntil(dateTime(webhook.pausedUntil))}</Under>}
        {webhook.failingSince && <Under tone="error.main">{t.failingSince(dateTime(webhook.failingSince))}</Under>}
      </TableCell>
      <TableCell>
        {webhook.events.join(", ") || t.everyEvent}
        {webhook.ordered && <Under>{t.ordered}</Under>}
      </TableCell>
      <TableCell align="right">
        <Button size="small" color={isOff ? "primary" : "error"} loading={doing} onClick={() => turn(isOff ? "enable" : "disable")} aria-label={`${isOff ? t.enable : t.disable}: ${webhook.url}`}>
          {isOff ? t.enable : t.disable}
        </Button>
      </TableCell>
    </TableRow>
  );
}

function Deliveries({ webhook }: { webhook: Webhook }) {
  const { t, number, dateTime } = useText();
  const [state, setState] = useState<DeliveryState | "all">("all");
  // The last delivery of each page before the present one.
  const [pages, setPages] = useState<string[]>([]);
  const [shown, setShown] = useState<Delivery | null>(null);
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (state !== "all") query.set("state", state);
  const before = pages.at(-1);
  if (before) query.set("before", before);
  const reading = useReading<{ deliveries: Delivery[] }>(path`/api/operator/webhooks/${webhook.partner}/${webhook.id}/deliveries` + `?${query}`, before ? 0 : 10);
  const filter = (
    <TextField
      select
      size="small"
      label={t.state}
      value={state}
      sx={{ minWidth: 150 }}
      onChange={(event) => {
        setState(event.target.value as DeliveryState | "all");
        setPages([]);
      }}
    >
      <MenuItem value="all">{t.all}</MenuItem>
      {DELIVERY_STATES.map((one) => (
        <MenuItem key={one} value={one}>
          {t.deliveryState[one]}
        </MenuItem>
      ))}
    </TextField>
  );
  return (
    <Panel title={t.deliveries} sentence={webhook.url} actions={filter}>
      <Loaded reading={reading}>
        {({ deliveries }) => (
          <>
            {deliveries.length === 0 ? (
              <Quiet height={140}>{t.noDeliveries}</Quiet>
            ) : (
              <Scrolling label={t.deliveries}>
                <Table size="small" sx={{ minWidth: 820 }}>
                  <TableHead>
                    <TableRow>
                      <TableCell>{t.message}</TableCell>
                      <TableCell>{t.event}</TableCell>
                      <TableCell>{t.state}</TableCell>
                      <TableCell align="right">{t.attempts}</TableCell>
                      <TableCell>{t.answer}</TableCell>
                      <TableCell>{t.accepted}</TableCell>
                    </TableRow>
                  </TableHead>
                  <TableBody>
                    {deliveries.map((delivery) => (
                      <TableRow key={delivery.id} hover>
                        <TableCell>
                          <MuiLink component="button" type="button" aria-label={t.showDelivery(delivery.messageId)} onClick={() => setShown(delivery)}>
                            <Code>{delivery.messageId}</Code>
                          </MuiLink>
                        </TableCell>
                        <TableCell>{delivery.event}</TableCell>
                        <TableCell>
                          <StateChip tone={DELIVERY_TONE[delivery.state]}>{t.deliveryState[delivery.state]}</StateChip>
                        </TableCell>
                        <TableCell align="right">{number(delivery.attempts)}</TableCell>
                        <TableCell>{delivery.lastStatus ?? (delivery.attempts > 0 ? t.noAnswer : "–")}</TableCell>
                        <TableCell sx={{ whiteSpace: "nowrap" }}>{dateTime(delivery.createdAt)}</TableCell>
                      </TableRow>
                    ))}
                  </TableBody>
                </Table>
              </Scrolling>
            )}
            <Box sx={{ display: "flex", justifyContent: "flex-end", gap: 1, p: 1.25, borderTop: 1, borderColor: "divider" }}>
              <Button size="small" color="secondary" disabled={pages.length === 0} onClick={() => setPages([])}>
                {t.newest}
              </Button>
              <Button
                size="small"
                color="secondary"
                disabled={deliveries.length < PAGE}
                onClick={() => setPages([...pages, deliveries.at(-1)?.id ?? ""])}
              >
                {t.older}
              </Button>
            </Box>
          </>
        )}
      </Loaded>
      {shown && <Detail partner={webhook.partner} delivery={shown} onClose={() => setShown(null)} onChanged={reading.renew} />}
    </Panel>
  );
}

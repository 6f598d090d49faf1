// One delivery: what is sent, what came back, and again.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";

import { path, tell } from "../../api/client";
import type { Delivery, DeliveryDetail } from "../../api/types";
import { useAnnounce } from "../../parts/announce";
import { Body, Code, StateChip, Under } from "../../parts/bits";
import { Facts, Show, useDoing } from "../../parts/dialogs";
import { Loaded, ProblemNotice, Quiet, useReading } from "../../parts/states";
import { useText } from "../../text";

export const DELIVERY_TONE = { pending: "info", held: "warning", delivered: "good", exhausted: "bad", cancelled: "quiet" } as const;

interface DetailProps {
  partner: string;
  delivery: Delivery;
  onClose: () => void;
  onChanged: () => Promise<unknown>;
}

export function Detail({ partner, delivery, onClose, onChanged }: DetailProps) {
  const { t, dateTime, number } = useText();
  const { tell: announce } = useAnnounce();
  const { doing, problem, run } = useDoing();
  const reading = useReading<DeliveryDetail>(path`/api/operator/deliveries/${partner}/${delivery.id}`, 3);
  const resend = () =>
    void run(async () => {
      await tell(path`/api/operator/deliveries/${partner}/${delivery.id}/resend`);
      announce(t.resentNow);
      await Promise.all([reading.renew(), onChanged()]);
    });
  const again = (
    <Button variant="contained" loading={doing} onClick={resend}>
      {t.resend}
    </Button>
  );
  return (
    <Show title={delivery.event} onClose={onClose} actions={again}>
      <Loaded reading={reading}>
        {(detail) => (
          <Box sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>
            {problem && <ProblemNotice problem={problem} />}
            <Facts
              facts={[
                [t.message, <Code key="id">{detail.delivery.messageId}</Code>],
                [t.state, <StateChip key="state" tone={DELIVERY_TONE[detail.delivery.state]}>{t.deliveryState[detail.delivery.state]}</StateChip>],
                [t.accepted, dateTime(detail.delivery.createdAt)],
              ]}
            />
            <Box>
              <Typography variant="h3" gutterBottom>
                {t.sentBody}
              </Typography>
              <Body text={detail.body} label={t.sentBody} />
            </Box>
            <Box>
              <Typography variant="h3" gutterBottom>
                {t.attempts}
              </Typography>
              {detail.attempts.length === 0 && <Quiet>{t.noAttempts}</Quiet>}
              {detail.attempts.map((attempt) => (
                <Box key={attempt.number} sx={{ py: 1, borderTop: 1, borderColor: "divider" }}>
                  <Box sx={{ display: "flex", gap: 1.5, alignItems: "center", flexWrap: "wrap" }}>
                    <StateChip tone={attempt.status && attempt.status < 300 ? "good" : "bad"}>{attempt.status ?? t.noAnswer}</StateChip>
                    <span>
                      {dateTime(attempt.at)} · {t.attemptTook(number(attempt.elapsedMs))}
                    </span>
                  </Box>
                  {attempt.detail && <Under>{attempt.detail}</Under>}
                </Box>
              ))}
            </Box>
          </Box>
        )}
      </Loaded>
    </Show>
  );
}

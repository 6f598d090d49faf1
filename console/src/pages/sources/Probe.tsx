// What a probe found, check by check.
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";

import type { ProbeReport } from "../../api/types";
import { Said, StateChip, Under, type Tone } from "../../parts/bits";
import { useText } from "../../text";

type Check = ProbeReport["checks"][number];

export function Probe({ report }: { report: ProbeReport }) {
  const { t, decimal } = useText();
  const verdict = (check: Check): [Tone, string] => {
    if (!check.ok) return ["bad", t.failed];
    return check.level === "warn" ? ["warning", t.warned] : ["good", t.passed];
  };
  return (
    <>
      <Alert severity={report.ok ? "success" : "error"} sx={{ mb: 1.5 }}>
        {report.ok ? t.probeOk : t.probeFailed}
      </Alert>
      <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
        {report.checks.map((check) => {
          const [tone, word] = verdict(check);
          return (
            <Box component="li" key={check.name} sx={{ display: "flex", gap: 1.5, py: 1, borderTop: 1, borderColor: "divider" }}>
              <Box sx={{ minWidth: 84 }}>
                <StateChip tone={tone}>{word}</StateChip>
              </Box>
              <Box sx={{ minWidth: 0 }}>
                <Box sx={{ fontWeight: 600 }}>{check.name}</Box>
                <Under>{check.detail}</Under>
                {check.advice && (
                  <Under tone="warning.main">
                    <Said wording={check.adviceWording} sentence={check.advice} />
                  </Under>
                )}
              </Box>
            </Box>
          );
        })}
      </Box>
      {report.clockSkewSeconds !== undefined && <Under>{t.clockSkew(decimal(report.clockSkewSeconds))}</Under>}
    </>
  );
}

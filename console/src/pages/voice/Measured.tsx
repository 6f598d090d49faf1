// What a device measured last: each value under the name the device gave it, and when.
import Box from "@mui/material/Box";

import type { VoiceDevice } from "../../api/types";
import { Under } from "../../parts/bits";
import { useText } from "../../text";

/** Values that are shown of one device. */
const MOST = 12;

export function Measured({ measured }: { measured: NonNullable<VoiceDevice["measured"]> }) {
  const { t, ago, figure } = useText();
  const all = valuesOf(measured.data);
  const worth = (value: unknown) => {
    if (typeof value === "number") return figure(value);
    if (typeof value === "boolean") return value ? t.measuredTrue : t.measuredFalse;
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  return (
    <Box sx={{ overflowWrap: "anywhere" }}>
      <Under>{t.measuredAt(ago(measured.at))}</Under>
      <Box component="dl" sx={{ display: "flex", flexWrap: "wrap", columnGap: 2, rowGap: 0.25, m: 0 }}>
        {all.slice(0, MOST).map(([name, value]) => (
          <Box key={name} sx={{ display: "flex", gap: 0.75, fontSize: "0.85rem" }}>
            <Box component="dt" sx={{ color: "text.secondary" }}>
              {name}
            </Box>
            <Box component="dd" sx={{ m: 0, fontWeight: 600, fontVariantNumeric: "tabular-nums" }}>
              {worth(value)}
            </Box>
          </Box>
        ))}
      </Box>
      {all.length > MOST && <Under>{t.moreMeasured(all.length - MOST)}</Under>}
    </Box>
  );
}

/** The values with their names, those within others as `outer.inner`; what is no object has no name. */
function valuesOf(data: unknown, name = ""): [string, unknown][] {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return [[name, data]];
  return Object.entries(data).flatMap(([key, value]) => valuesOf(value, name ? `${name}.${key}` : key));
}

// How many people are expected, with the range in which they are, or why nobody can tell.
import Alert from "@mui/material/Alert";
import Skeleton from "@mui/material/Skeleton";
import { useState } from "react";

import { path } from "../../api/client";
import type { Forecast } from "../../api/types";
import { OneOf, Said, Under } from "../../parts/bits";
import { TimeChart } from "../../parts/chart";
import { Panel } from "../../parts/Page";
import { Loaded, Quiet, useReading } from "../../parts/states";
import { useText } from "../../text";

const HEIGHT = 260;

export function ForecastPanel({ eventId, name }: { eventId: string; name: string }) {
  const { t } = useText();
  const [step, setStep] = useState<"hour" | "day">("hour");
  const reading = useReading<Forecast>(path`/api/events/${eventId}/forecast` + `?step=${step}`, 300);
  return (
    <Panel
      title={t.forecast}
      padded
      actions={
        <OneOf
          label={t.range}
          value={step}
          onChoose={setStep}
          choices={[
            { value: "hour", name: t.byHour },
            { value: "day", name: t.byDay },
          ]}
        />
      }
    >
      {reading.isAbsent ? (
        <Quiet>{t.noForecast}</Quiet>
      ) : (
        <Loaded reading={reading} skeleton={<Skeleton variant="rounded" height={120} />}>
          {(forecast) => <Drawn forecast={forecast} name={name} />}
        </Loaded>
      )}
    </Panel>
  );
}

export function Drawn({ forecast, name }: { forecast: Forecast; name: string }) {
  const { t, time, date, percent, dateTime } = useText();
  const { points, score } = forecast;
  if (forecast.refused || points.length === 0) {
    return (
      <Quiet>
        {t.noForecast}
        {forecast.refused && (
          <Under>
            <Said wording={forecast.refusedWording} sentence={forecast.refused} />
          </Under>
        )}
      </Quiet>
    );
  }
  const notes = [
    forecast.madeAt && t.forecastMade(dateTime(forecast.madeAt), t.model[forecast.model ?? ""] ?? forecast.model ?? ""),
    score.steps > 0 && t.forecastHeld(percent(score.within / score.steps), score.steps),
  ].filter(Boolean);
  return (
    <>
      {forecast.caution && (
        <Alert severity="info" variant="outlined" sx={{ mb: 1.5 }}>
          <Said wording={forecast.cautionWording} sentence={forecast.caution} />
        </Alert>
      )}
      <TimeChart
        label={t.forecastChart(name)}
        height={HEIGHT}
        times={points.map((point) => new Date(point.at))}
        series={[{ name: t.expected, values: points.map((point) => point.value) }]}
        band={{ lower: points.map((point) => point.lower), upper: points.map((point) => point.upper) }}
        tick={forecast.step === "day" ? date : time}
      />
      <Under>{notes.join(" · ")}</Under>
    </>
  );
}

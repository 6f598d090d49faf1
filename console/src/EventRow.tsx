// One event's figures, line, gates and alerts.
import type { LiveEvent } from "./live";

const WIDTH = 160;
const HEIGHT = 36;

function Line({ points }: { points: number[] }) {
  if (points.length < 2) return <span className="quiet">gathering…</span>;
  const low = Math.min(...points);
  const span = Math.max(...points) - low || 1;
  const path = points
    .map((value, i) => {
      const x = (i / (points.length - 1)) * WIDTH;
      const y = HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4);
      return `${i === 0 ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={`from ${points[0]} to ${points.at(-1)} people`}>
      <path d={path} fill="none" stroke="currentColor" strokeWidth="2" />
    </svg>
  );
}

function age(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function EventRow({ event, line }: { event: LiveEvent; line: number[] }) {
  const { metrics } = event;
  const stale = event.freshness === "stale";
  return (
    <tr className={stale ? "stale" : undefined}>
      <th scope="row">
        {event.eventName || event.eventId}
        <small>{event.eventId}</small>
        {event.alerts.map((alert) => (
          <small key={alert.kind} className={`alert ${alert.severity}`}>
            {alert.message}
          </small>
        ))}
      </th>
      <td>
        {event.status}
        <small>{stale ? `stale, last known ${age(event.ageSeconds)} ago` : `${age(event.ageSeconds)} ago`}</small>
      </td>
      <td className="number strong">{metrics.currentAttendees.toLocaleString()}</td>
      <td className="number">{metrics.checkedIn.toLocaleString()}</td>
      <td className="number">{metrics.totalRegistered.toLocaleString()}</td>
      <td>
        <Line points={line} />
      </td>
      <td>
        {metrics.gateActivity.map((gate) => (
          <small key={gate.gateId}>
            {gate.gateId}: {gate.status}, {gate.throughput.toFixed(1)}/min
          </small>
        ))}
      </td>
    </tr>
  );
}

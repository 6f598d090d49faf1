// The first page: every event of every source, moving.
import { EventRow } from "./EventRow";
import { useLive, type Connection, type LiveEvent } from "./live";

const SAYS: Record<Connection, string> = {
  connecting: "connecting…",
  live: "live",
  lost: "connection lost, trying again; the figures stand still",
};

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Totals({ events }: { events: LiveEvent[] }) {
  const sum = (pick: (event: LiveEvent) => number) => events.reduce((total, event) => total + pick(event), 0);
  const registered = sum((event) => event.metrics.totalRegistered);
  const came = sum((event) => event.metrics.checkedIn);
  const rate = registered === 0 ? "–" : `${Math.round((100 * came) / registered)} %`;
  return (
    <dl className="totals">
      <Figure name="events" value={String(events.length)} />
      <Figure name="inside now" value={sum((event) => event.metrics.currentAttendees).toLocaleString()} />
      <Figure name="came" value={`${came.toLocaleString()} of ${registered.toLocaleString()}`} />
      <Figure name="attendance" value={rate} />
      <Figure name="stale" value={String(events.filter((event) => event.freshness === "stale").length)} />
    </dl>
  );
}

export function LivePage() {
  const { events, lines, connection } = useLive();
  return (
    <main>
      <header>
        <h1>
          Ieum <span lang="ko">이음</span>
        </h1>
        <p className={`connection ${connection}`} role="status">
          {SAYS[connection]}
        </p>
      </header>
      <Totals events={events} />
      {events.length === 0 && connection === "live" ? (
        <p className="empty">
          No source is registered yet. Add one with <code>ieum source add</code>.
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">event</th>
              <th scope="col">state</th>
              <th scope="col" className="number">inside</th>
              <th scope="col" className="number">came</th>
              <th scope="col" className="number">registered</th>
              <th scope="col">last minute or so</th>
              <th scope="col">gates</th>
            </tr>
          </thead>
          <tbody>
            {events.map((event) => (
              <EventRow key={event.eventId} event={event} line={lines.get(event.eventId) ?? []} />
            ))}
          </tbody>
        </table>
      )}
    </main>
  );
}

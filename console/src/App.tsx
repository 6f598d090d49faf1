// The console as a whole: look, language, data, and which page stands at which address.
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { lazy, useEffect } from "react";
import { SWRConfig } from "swr";
import { Route, Switch } from "wouter";

import { ask } from "./api/client";
import { Shell } from "./parts/Shell";
import { Nothing } from "./pages/Nothing";
import { TextProvider } from "./text";
import { theme } from "./theme";

// Each page is a file of its own, so that the first one is there soon.
const FILES = {
  Events: () => import("./pages/Events"),
  Event: () => import("./pages/Event"),
  Insights: () => import("./pages/Insights"),
  Voice: () => import("./pages/Voice"),
  Sources: () => import("./pages/Sources"),
  Partners: () => import("./pages/Partners"),
  Webhooks: () => import("./pages/Webhooks"),
  DeadLetters: () => import("./pages/DeadLetters"),
  System: () => import("./pages/System"),
};
const Events = lazy(FILES.Events);
const Event = lazy(FILES.Event);
const Insights = lazy(FILES.Insights);
const Voice = lazy(FILES.Voice);
const Sources = lazy(FILES.Sources);
const Partners = lazy(FILES.Partners);
const Webhooks = lazy(FILES.Webhooks);
const DeadLetters = lazy(FILES.DeadLetters);
const System = lazy(FILES.System);

/** Milliseconds after which the other pages are fetched: they then open even while the platform is away. */
const FETCH_AHEAD = 1_500;

/** Reads are shared between parts of a page, tried again with patience, and renewed when the page is looked at. */
const READING = {
  fetcher: ask,
  dedupingInterval: 3_000,
  focusThrottleInterval: 10_000,
  errorRetryInterval: 5_000,
};

export function App() {
  useEffect(() => {
    const ahead = () => Object.values(FILES).forEach((file) => void file().catch(() => undefined));
    const timer = setTimeout(ahead, FETCH_AHEAD);
    return () => clearTimeout(timer);
  }, []);
  return (
    <ThemeProvider theme={theme} defaultMode="system" disableTransitionOnChange noSsr>
      <CssBaseline enableColorScheme />
      <TextProvider>
        <SWRConfig value={READING}>
          <Shell>
            <Switch>
              <Route path="/" component={Events} />
              <Route path="/events/:eventId" component={Event} />
              <Route path="/insights" component={Insights} />
              <Route path="/voice" component={Voice} />
              <Route path="/sources" component={Sources} />
              <Route path="/partners" component={Partners} />
              <Route path="/webhooks" component={Webhooks} />
              <Route path="/dead-letters" component={DeadLetters} />
              <Route path="/system" component={System} />
              <Route component={Nothing} />
            </Switch>
          </Shell>
        </SWRConfig>
      </TextProvider>
    </ThemeProvider>
  );
}

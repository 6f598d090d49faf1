// Stands at addresses that lead nowhere.
import Button from "@mui/material/Button";
import { Link } from "wouter";

import { Page, Panel } from "../parts/Page";
import { Empty } from "../parts/states";
import { useText } from "../text";

export function Nothing() {
  const { t } = useText();
  return (
    <Page title={t.notFound}>
      <Panel>
        <Empty
          title={t.notFound}
          sentence={t.notFoundSentence}
          action={
            <Button component={Link} href="/" variant="contained">
              {t.toEvents}
            </Button>
          }
        />
      </Panel>
    </Page>
  );
}

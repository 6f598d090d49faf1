// Stands at addresses that lead nowhere.
import Button from "@mui/material/Button";
import { Link } from "wouter";

import { FIRST_PAGE } from "../api/answered";
import { Page, Panel } from "../parts/Page";
import { FIRST_NAME } from "../parts/pages";
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
            <Button component={Link} href={FIRST_PAGE} variant="contained">
              {t.toPage(t[FIRST_NAME])}
            </Button>
          }
        />
      </Panel>
    </Page>
  );
}

// Stands in place of a page whose part does not run in this process.
import { Unplug } from "lucide-react";

import { Page, Panel } from "../parts/Page";
import { listed, type Name } from "../parts/pages";
import { Empty } from "../parts/states";
import { useText } from "../text";

export function NotHere({ name }: { name: Name }) {
  const { t } = useText();
  return (
    <Page title={t[name]}>
      <Panel>
        <Empty icon={Unplug} title={t.notHere(t[name])} sentence={t.notHereSentence(listed(name)?.parts ?? "")} />
      </Panel>
    </Page>
  );
}

import { readdirSync, readFileSync } from "node:fs"; import { join } from "node:path";
import { HtmlValidate } from "html-validate";
const v = new HtmlValidate({ extends: ["html-validate:recommended"], rules: { "doctype-style": "off", "long-title": "off", "no-trailing-whitespace": "off", "void-style": "off", "prefer-native-element": ["error", { exclude: ["region"] }] } });
let n=0, bad=0; const site="/tmp/ref";
for (const f of ["", ...readdirSync(site,{withFileTypes:true}).filter(i=>i.isDirectory()).map(i=>i.name)]) for (const p of readdirSync(join(site,f))) if (p.endsWith(".html")) { n++; const {results}=await v.validateString(readFileSync(join(site,f,p),"utf8"),p); for (const {messages} of results) for (const m of messages) { bad++; if (bad<10) console.log(f,p,m.ruleId,m.message); } }
console.log(n,"pages",bad,"complaints");

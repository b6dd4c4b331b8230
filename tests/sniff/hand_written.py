"""Short files written by hand in the manner of real exports, each with its truth."""

import json
from pathlib import Path

# name, text before the records (preamble and header), records, text behind them; then the truth: lines to skip,
# header rows, columns, and what differs from `,` `"` `""`.
CASES = []


def case(name, head, data, foot="", skip=0, header=1, columns=None, delimiter=",", quote='"', escape=None, comment=""):
    CASES.append(
        dict(
            phenomenon="hand_written",
            name=name,
            head=head,
            data=data,
            foot=foot,
            skip_lines=skip,
            header_rows=header,
            columns=columns,
            delimiter=delimiter,
            quote=quote,
            escape=quote if escape is None else escape,
            comment=comment,
            footer_lines=foot.count("\n"),
            encoding="UTF-8",
            bom=False,
            codec="utf-8",
            part="hand",
        )
    )


case(
    "bank statement",
    "Kontonummer:;DE12 3456 7890\nZeitraum:;01.01.2021 - 31.01.2021\nKontostand vom 31.01.2021:;1.234,56 EUR\n\n"
    "Buchungstag;Wertstellung;Auftraggeber;Verwendungszweck;Betrag (EUR)\n",
    "04.01.2021;04.01.2021;Stadtwerke;Abschlag, Strom 01/21;-85,00\n05.01.2021;05.01.2021;Max Muster;Miete;-650,00\n"
    "07.01.2021;08.01.2021;Firma GmbH;Gehalt;2.345,67\n11.01.2021;11.01.2021;Supermarkt;Kartenzahlung, danke;-34,21\n",
    skip=4,
    columns=5,
    delimiter=";",
)
case(
    "indicator table",
    '"Data Source","World Development",\n\n"Last Updated Date","2020-07-01",\n\n"Country Name","Country Code","1960","1961","1962",\n',
    '"Aruba","ABW","54211","55438","56225",\n"Angola","AGO","5454933","5531472","5608539",\n"Albania","ALB","1608800","1659800","1711319",\n'
    '"Andorra","AND","13411","14375","15370",\n',
    skip=4,
    columns=6,
)
case(
    "r table",
    '"mpg" "cyl" "gear"\n',
    '"Mazda RX4" 21 6 4\n"Datsun 710" 22.8 4 4\n"Hornet 4 Drive" 21.4 6 3\n"Valiant" 18.1 6 3\n',
    columns=4,
    delimiter=" ",
)
case(
    "ads report",
    'Campaign performance\n"January 1, 2021 - January 31, 2021"\nCampaign,Clicks,Impr.,CTR,Cost\n',
    'Shoes,"1,204","30,112",4.00%,522.10\nHats,98,"2,011",4.87%,40.02\nSocks,17,640,2.66%,9.99\nScarves,201,"5,500",3.65%,88.00\n',
    'Total: account,"1,520","38,263",3.97%,660.11\n',
    skip=2,
    columns=5,
)
case(
    "tweets",
    "created_at,user,text,retweets\n",
    '2020-03-01 10:00:01,ann,"so, this is ""fun"" :)\nreally",3\n2020-03-01 10:05:44,bob,"@ann yes; no, maybe, #what",0\n'
    '2020-03-01 11:22:09,cy,plain words,12\n2020-03-02 01:02:03,dee,"a, b, c, d",1\n',
    columns=4,
)
case(
    "database dump",
    "",
    '1\tAnn\t\\N\t2020-01-01 00:00:00\n2\tBob, Jr.\t3.5\t2020-01-02 10:00:00\n3\tCy\t\\N\t2020-01-03 11:30:00\n4\tDee "D"\t7.25\t\\N\n',
    header=0,
    columns=4,
    delimiter="\t",
)
case(
    "passwords",
    "",
    "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\n"
    "sys:x:3:3:sys:/dev:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n",
    header=0,
    columns=7,
    delimiter=":",
)
case(
    "json in cells",
    "id,payload,at\n",
    '1,"{""a"": 1, ""b"": [1, 2]}",2020-01-01\n2,"{""a"": 2, ""b"": []}",2020-01-02\n3,"{""a"": 3, ""b"": [5]}",2020-01-03\n',
    columns=3,
)
case(
    "windows paths",
    "path;size;modified\n",
    'C:\\temp\\new folder\\a.txt;1024;2020-01-01\nC:\\Users\\ann\\b.doc;99;2020-02-01\nD:\\data\\;0;2021-01-01\n"C:\\x; y\\z";5;2021-04-04\n',
    columns=3,
    delimiter=";",
)
case("two lines", "a,b,c\n", "1,2,3\n", columns=3)
case("one record", "", "17;Berlin;52,52;13,40\n", header=0, columns=4, delimiter=";")
case("index column", ",temperature,humidity\n", "0,21.5,40\n1,21.7,41\n2,22.0,39\n3,22.4,38\n", columns=3)
case(
    "addresses",
    "name;address;phone\n",
    "Ann Fox;12 High St, Apt 4, Leeds;+44 113 496 0000\nBob Lee;7 Low Rd, Hull;+44 148 260 0000\nCy Ray;Flat 2, 19 Mid Ln, York;+44 190 460 0000\n",
    columns=3,
    delimiter=";",
)
case(
    "prose under tabs",
    "title\treview\tstars\n",
    'A long day\tI liked it, mostly; the end is "weak"\t3\nThe sea\t"Best", says my friend\t5\nOver\tNo, no, no; never again\t1\nDust\tFine\t4\n',
    columns=3,
    delimiter="\t",
    quote="",
    escape="",
)
case(
    "header in quotes",
    '"Temp (°C)","Wind, m/s","Day"\n',
    "12.1,4.0,2020-01-01\n13.0,2.2,2020-01-02\n9.9,8.1,2020-01-03\n",
    columns=3,
)
case(
    "ticket numbers",
    "ticket,opened,priority\n",
    "#1041,2020-01-01,high\n#1042,2020-01-03,low\n#1043,2020-01-04,low\n#1050,2020-01-09,high\n",
    columns=3,
)
case(
    "genome",
    "##fileformat=v4\n##source=caller, version 2\n#CHROM\tPOS\tREF\tALT\tQUAL\n",
    "1\t10177\tA\tC\t100\n1\t10352\tT\tG\t98.5\n2\t11012\tC\tG\t77\nX\t13110\tG\tA\t100\n",
    skip=2,
    columns=5,
    delimiter="\t",
)
case(
    "buoy",
    "# station 41001, hourly\n# units: m, s, degC\ntime,wave,period,water\n",
    "2020-01-01T00:00Z,1.2,8,21.1\n2020-01-01T01:00Z,1.3,8,21.0\n2020-01-01T02:00Z,1.3,9,21.0\n",
    skip=2,
    columns=4,
    comment="#",
)
case(
    "edges",
    "| id | name | price |\n",
    "| 1 | Tea | 2.50 |\n| 2 | Milk | 1.20 |\n| 3 | Dry bread | 0.99 |\n",
    columns=5,
    delimiter="|",
)
case(
    "spaced thousands",
    "pays;population;superficie\n",
    "France;67 390 000;643 801\nEspagne;47 350 000;505 990\nItalie;59 550 000;301 340\n",
    columns=3,
    delimiter=";",
)
case(
    "brackets",
    "account,2019,2020\n",
    'Revenue,"1,200","1,350"\nCosts,(900),(950)\nTax,(60),(80)\nNet,240,320\n',
    columns=3,
)
case("empty columns", "id,a,b,c,d\n", "1,,,x,\n2,,,y,\n3,,,z,\n4,,,x,\n", columns=5)
case(
    "coordinates",
    "place,position,height\n",
    'Peak,"(46.5, 7.9)",4158\nPass,"(46.1, 7.2)",2469\nHut,"(46.0, 7.7)",2880\n',
    columns=3,
)
case(
    "apostrophes in text",
    "who,what,when\n",
    "O'Brien,can't come,2020-01-01\nD'Arcy,it's fine,2020-02-01\nLee,'tis late,2020-03-01\n'Bo,ok,2020-04-01\n",
    columns=3,
)
case("inches", "part,size,stock\n", 'Bolt,5" x 2",100\nPipe,3/4",20\nPlate,12" square,7\n', columns=3)
case(
    "urls",
    "url|hits|last\n",
    "https://example.org/a?b=1,2;c=3|10|2020-01-01\nhttps://example.org/x|4|2020-01-02\nhttps://example.org/z?q=a,b|99|2020-01-02\n",
    columns=3,
    delimiter="|",
)
case("dates alone", "", "2020-01-01\n2020-01-02\n2020-01-05\n2020-02-01\n", header=0, columns=1)
case("mail addresses alone", "email\n", "ann@example.org\nbob.lee@example.org\ncy@mail.example.org\n", columns=1)
case("names alone", "", "Ann Fox\nBob Lee\nCy Ray\nDee Hill\nEd Stone\n", header=0, columns=1)
case("prices with comma alone", "preis\n", "1,50\n2,75\n10,00\n3,20\n", columns=1, delimiter=";")
case("survey codes", "resp;q1;q2;q3;q4\n", "1;1;2;;5\n2;3;;1;4\n3;2;2;2;\n4;;1;3;5\n", columns=5, delimiter=";")
case(
    "all text quoted",
    '"first","last","team"\n',
    '"Ann","Fox","Red"\n"Bob","Lee, Jr.","Blue"\n"Cy","Ray","Red"\n',
    columns=3,
)
case(
    "units row", "time,speed,force\ns,m/s,N\n", "0.0,1.2,10\n0.1,1.4,12\n0.2,1.5,12\n0.3,1.7,15\n", header=2, columns=3
)
case(
    "legend below",
    "region,units,share\n",
    "North,120,0.31\nSouth,98,0.25\nEast,101,0.26\nWest,70,0.18\n",
    "\nNote: share of all units, rounded\nSource: sales database; 2021\n",
    columns=3,
)
case(
    "page header",
    "Company X\nPayroll, March 2021\nConfidential\n\nno;name;hours;wage\n",
    "1;Fox, Ann;160;2.500,00\n2;Lee, Bob;152;2.310,50\n3;Ray, Cy;80;1.200,00\n",
    "\n3 employees\n",
    skip=4,
    columns=4,
    delimiter=";",
)
case(
    "tilde", "id~name~note~amount\n", "1~Ann, Fox~a|b~10.5\n2~Bob; Lee~c,d~11\n3~Cy~e~12.25\n", columns=4, delimiter="~"
)
case(
    "double pipe", "", "1||Ann||2020-01-01\n2||Bob||2020-01-02\n3||||2020-01-03\n", header=0, columns=3, delimiter="||"
)
case(
    "unit separator", "", "1\x1fAnn, Fox\x1f10.5\n2\x1fBob\x1f11\n3\x1fCy\x1f\n", header=0, columns=3, delimiter="\x1f"
)
case(
    "backslashes",
    "id,said,at\n",
    '1,"\\"hi\\", she said",10:00\n2,"no \\"way\\"",10:05\n3,"ok",11:00\n',
    columns=3,
    escape="\\",
)
case("spaces around", "id, name, value\n", "1, Ann, 10\n2, Bob, 11\n3, Cy, 12\n", columns=3, delimiter=", ")
case("decimal commas by tab", "x\ty\tz\n", "1,5\t2,25\t3\n1,7\t2,50\t4\n1,9\t2,75\t5\n", columns=3, delimiter="\t")
case(
    "times by semicolon",
    "start;end;task\n",
    "08:00;09:30;mail\n09:30;10:00;talk\n10:00;12:15;work\n",
    columns=3,
    delimiter=";",
)
case("integers without header", "", "1,2,3\n4,5,6\n7,8,9\n", header=0, columns=3)
case(
    "names and integers without header",
    "",
    "Ann,34,Leeds\nBob,51,Hull\nCy,19,York\nDee,44,Leeds\n",
    header=0,
    columns=3,
)
case(
    "lower-case header over codes",
    "code;label;parent\n",
    "A01;Cattle;A\nA02;Sheep;A\nB01;Wheat;B\nB02;Barley;B\n",
    columns=3,
    delimiter=";",
)
case(
    "question texts",
    '"id";"Do you like tea?";"How often, per week?"\n',
    '"1";"yes";"7"\n"2";"no";""\n"3";"yes";"2"\n',
    columns=3,
    delimiter=";",
)
case("semicolon lists", "id,tags,score\n", "1,a;b;c,0.5\n2,a;c,0.7\n3,b;c;d,0.1\n4,,0.9\n", columns=3)
case("crlf in quotes", "id,text\r\n", '1,"line one\nline two"\r\n2,"x, y"\r\n3,z\r\n', columns=2)


def write_hand_written(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for i, c in enumerate(CASES):
        path = folder / ("hand-%02d-%s.csv" % (i, c["name"].replace(" ", "-")))
        path.write_bytes((c["head"] + c["data"] + c["foot"]).encode())
        truths.append(dict(c, file=str(path), utf8=str(path)))
    (folder / "hand-truth.json").write_text(json.dumps(truths, ensure_ascii=False, indent=1))
    return truths
